/** To whom a token goes, where only Keystone's catalogue can tell. */
import { expect } from "chai";
import nock from "nock";
import { type Client, createClient } from "../../provider/http/client.ts";
import { resolve } from "../connection/resolved.ts";
import { rejection, stepClock, versionHeaders } from "../fakes/http-server.ts";
import { catalogue, ironic, keystone } from "./catalogue.ts";

const shell = {
  OS_AUTH_URL: `${keystone}/v3`,
  OS_USERNAME: "ann",
  OS_PASSWORD: "hunter22",
  OS_USER_DOMAIN_NAME: "Default",
};

describe("a token", () => {
  let client: Client | undefined;
  let warned: string[];
  const connect = (settings: Record<string, string>): Client => {
    warned = [];
    client = createClient(resolve(settings, shell), {
      clock: stepClock(),
      warn: (code, text) => warned.push(`${code}: ${text}`),
    });
    return client;
  };
  const login = (services: unknown = catalogue): void => {
    const headers = { "x-subject-token": "t1" };
    nock(keystone)
      .post("/v3/auth/tokens")
      .reply(201, { token: { catalog: services } }, headers);
  };
  const greet = (at: string, path = "/v1") =>
    nock(at, { reqheaders: { "x-auth-token": "t1" } })
      .get(path)
      .reply(200, {}, versionHeaders());
  before(() => nock.disableNetConnect());
  after(() => nock.enableNetConnect());
  afterEach(async () => {
    await client?.close();
    nock.cleanAll();
  });

  for (const [what, services, known] of [
    ["another Ironic", catalogue, `${ironic}, http://10.0.0.5:6385, https://south.example.org, as the catalogue of`],
    ["no Ironic", [{ type: "compute", endpoints: [{ url: "https://other.example.org" }] }], "has no Ironic"],
  ] as const)
    it(`of the shell's cloud does not go to the stack's endpoint, where the catalogue has ${what}`, async () => {
      login(services);
      const stolen = greet("https://other.example.org");
      const error = await rejection(connect({ endpoint: "https://other.example.org" }).minor());
      expect(error).to.include({ code: "credentials-other-host" });
      for (const part of ["https://other.example.org (ironic:endpoint)", "environment (OS_AUTH_URL", known])
        expect(error.message).to.contain(part);
      expect(error.message).to.contain("`ironic:allowCredentialsTo: other.example.org`");
      expect(stolen.isDone()).to.equal(false);
    });

  for (const endpoint of ["https://ironic.example.org", "https://south.example.org:8443", "http://10.0.0.5:6385"])
    it(`goes to ${endpoint}, which is at a host of the catalogue`, async () => {
      login();
      const asked = greet(endpoint);
      await connect({ endpoint }).minor();
      expect(asked.isDone()).to.equal(true);
    });

  it("goes to another host that is written out", async () => {
    login();
    const asked = greet("https://other.example.org");
    await connect({ endpoint: "https://other.example.org", allowCredentialsTo: "other.example.org" }).minor();
    expect(asked.isDone()).to.equal(true);
  });

  it("warns once where the catalogue has an address without encryption", async () => {
    login();
    greet("http://10.0.0.5:6385");
    const { minor } = connect({ interface: "internal" });
    await minor();
    await minor();
    expect(warned).to.have.length(1);
    expect(warned[0]).to.match(/^credentials-unencrypted: Credentials go to http:\/\/10\.0\.0\.5:6385 without/);
  });
});
