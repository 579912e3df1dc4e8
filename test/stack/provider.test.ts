import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { Provider, refusePlainSecrets } from "../../provider/stack/provider.ts";

const signatureKey = "4dabf18193072939515e22adb298388d";

describe("provider", () => {
  const registered: Record<string, unknown>[] = [];
  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: ({ name, inputs }) => {
        registered.push(inputs);
        return { id: `${name}-id`, state: inputs };
      },
      call: ({ inputs }) => inputs,
    });
  });
  afterEach(() => {
    registered.length = 0;
    pulumi.runtime.setAllConfig({});
  });

  const inputsOf = async (provider: Provider) => {
    await new Promise((resolve) => provider.urn.apply(resolve));
    return registered[0] ?? {};
  };

  it("passes its arguments as stack configuration would: texts below ironic:", async () => {
    const provider = new Provider("west", {
      endpoint: pulumi.output("http://192.0.2.1:6385"),
      insecure: true,
      concurrency: 8,
      interface: ["internal", "public"],
      preflight: "off",
      missingNodes: "forget",
    });
    expect(await inputsOf(provider)).to.deep.equal({
      "ironic:endpoint": "http://192.0.2.1:6385",
      "ironic:insecure": "true",
      "ironic:concurrency": "8",
      "ironic:interface": '["internal","public"]',
      "ironic:preflight": "off",
      "ironic:missingNodes": "forget",
    });
  });

  it("encrypts secrets, whatever the program said", async () => {
    const inputs = await inputsOf(new Provider("west", { password: "planted", token: pulumi.secret("planted") }));
    for (const key of ["ironic:password", "ironic:token"]) {
      expect(inputs[key], key).to.deep.include({ value: "planted" }).and.to.have.property(signatureKey);
    }
  });

  it("refuses connection secrets in plain text in the stack's configuration", () => {
    pulumi.runtime.setConfig("ironic:password", "planted");
    expect(refusePlainSecrets)
      .to.throw(pulumi.RunError, "pulumi config set --secret ironic:password")
      .with.property("message")
      .not.contain("planted");
  });

  it("accepts encrypted ones, and anything else in plain text", () => {
    pulumi.runtime.setAllConfig({ "ironic:password": "planted", "ironic:username": "ops" }, ["ironic:password"]);
    expect(refusePlainSecrets).to.not.throw();
  });
});
