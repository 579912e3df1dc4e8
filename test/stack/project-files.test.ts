// `ironic:stackId` in the files of a project: what one stack alone may have.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { stackIdentityHandler } from "../../provider/stack/handler.ts";
import { whyShared } from "../../provider/stack/shared-id.ts";
import { fakeCall } from "../fakes/call.ts";
import { world } from "../fakes/world.ts";

const OWN = "config:\n  ironic:stackId: lab\n";

describe("an ironic:stackId of the configuration", () => {
  let folder: string;
  const before = { cwd: process.cwd(), project: process.env.PULUMI_NODEJS_PROJECT };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "project-"));
    mkdirSync(join(folder, "program"));
  });
  afterEach(() => {
    process.chdir(before.cwd);
    if (before.project === undefined) delete process.env.PULUMI_NODEJS_PROJECT;
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (files: Record<string, string>): void => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  };
  const seen = (files: Record<string, string>): string | undefined => {
    write(files);
    return whyShared("lab", join(folder, "program"), "shop");
  };

  it("is seen to be for all stacks in the project's file, however it stands there", () => {
    const forms = ["ironic:stackId: lab", '"ironic:stackId": { value: lab }', "ironic:stackId:\n    default: lab"];
    for (const form of forms)
      expect(seen({ "Pulumi.yaml": `name: shop\nconfig:\n  ${form}\n` }), form).to.match(
        /^stands in Pulumi.yaml, so all stacks .*`pulumi config set ironic:stackId ID`/,
      );
  });

  it("is one stack's own in that one's file, also where the project's file has another", () => {
    expect(seen({ "Pulumi.yaml": "name: shop\n", "Pulumi.dev.yaml": OWN })).to.equal(undefined);
    expect(seen({ "Pulumi.yaml": "name: shop\nconfig:\n  ironic:stackId: other\n" })).to.equal(undefined);
    expect(seen({ "Pulumi.prod.yaml": OWN.replace("lab", "prod") })).to.equal(undefined);
  });

  it("is seen to be in the files of two stacks, wherever the project keeps them", () => {
    expect(seen({ "Pulumi.yaml": "name: shop\n", "Pulumi.dev.yaml": OWN, "Pulumi.prod.yaml": OWN })).to.match(
      /^is the same in Pulumi.dev.yaml and Pulumi.prod.yaml/,
    );
    rmSync(join(folder, "Pulumi.dev.yaml"));
    expect(seen({ "Pulumi.yaml": "name: shop\nstackConfigDir: program\n" })).to.equal(undefined);
    expect(seen({ "program/Pulumi.a.yaml": OWN, "program/Pulumi.b.yaml": OWN })).to.match(/Pulumi.a.yaml/);
  });

  it("is not judged by the files of another project, or by none", () => {
    expect(seen({ "Pulumi.yaml": "name: other\nconfig:\n  ironic:stackId: lab\n" })).to.equal(undefined);
    expect(seen({ "Pulumi.yaml": "name: [" })).to.equal(undefined);
  });

  it("that several stacks have is refused where an identity is made; where it was made, that is said", async () => {
    write({ "Pulumi.yaml": "name: shop\nconfig:\n  ironic:stackId: lab\n" });
    process.chdir(join(folder, "program"));
    process.env.PULUMI_NODEJS_PROJECT = "shop";
    const { services } = world(stackIdentityHandler);
    const call = fakeCall();
    const news = { configured: "lab" };
    const { failures } = await stackIdentityHandler.check(undefined, news, services, call);
    expect(failures).to.have.length(1);
    expect(failures[0]).to.deep.include({ path: "ironic:stackId", code: "stack-id-shared" });
    expect(await stackIdentityHandler.check(news, news, services, call)).to.have.deep.property("failures", []);
    expect(call.shown).to.have.length(1);
    expect(call.shown[0]).to.match(/^ironic:stackId stands in Pulumi.yaml.*\[stack-id-shared\]$/);
    expect((await stackIdentityHandler.check(undefined, { configured: "x" }, services, call)).failures).to.deep.equal(
      [],
    );
  });
});
