import { expect } from "chai";
import { type ImportArgs, importFile } from "../../provider/commands/import-file.ts";
import { ProblemError } from "../../provider/core/errors.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { deploymentMarker } from "../../provider/node/marker.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import { fakeCall } from "../fakes/call.ts";
import { A, B, DRIVE, NODE } from "../fakes/deployments.ts";
import { rejection } from "../fakes/http-server.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { type World, world } from "../fakes/world.ts";

const ARGS: ImportArgs = { name: "worker", stackId: "stack-1", node: "worker-1", adopt: OTHER_INSTANCE, ...A };

const scene = (): World =>
  world(deploymentHandler, {
    node: { provision_state: "active", instance_uuid: OTHER_INSTANCE, instance_info: { ...A } },
  });
const written = async (w: World, args: Partial<ImportArgs> = {}) => {
  const file = await w.clock.run(importFile({ ...ARGS, ...args }, w.services, fakeCall()));
  const [resource, ...more] = file.resources as { inputs: Props; outputs: Props; name: string; id: string }[];
  expect(more).to.deep.equal([]);
  return resource ?? expect.fail("no resource");
};

/** A secret as the engine reads it from files. */
const encrypted = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});

describe("the file for pulumi import", function () {
  this.timeout(20_000);

  it("describes the deployment as a program of this name would, with the provider's code", async () => {
    const w = scene();
    const { inputs, outputs, name, id } = await written(w, { stackName: "dev", kernelArguments: "" });
    expect(name).to.equal("worker");
    expect(inputs).to.include({
      ...A,
      node: "worker-1",
      stackId: "stack-1",
      stackName: "dev",
      resourceId: "ironic:RamdiskDeployment::worker",
      resourceName: "worker",
    });
    expect(inputs.__provider).to.be.a("string").that.is.not.empty;
    expect(outputs).to.include({ ...inputs, nodeUuid: NODE, instanceUuid: OTHER_INSTANCE, adopted: true, version: 1 });
    expect(id).to.be.a("string").that.is.not.empty;
    expect(deploymentMarker(w.node())).to.deep.include({
      stackId: "stack-1",
      resourceId: "ironic:RamdiskDeployment::worker",
      instanceUuid: OTHER_INSTANCE,
    });
  });

  it("leaves out what was not given, and the word to create", async () => {
    const { inputs } = await written(scene());
    expect(inputs).not.to.have.any.keys("adopt", "stackName", "bootIso", "kernelArguments", "configDrive");
  });

  it("holds the config drive that the program gives, for the engine to encrypt it in the state", async () => {
    const configDrive = JSON.stringify(DRIVE);
    const { inputs, outputs } = await written(scene(), { configDrive });
    expect(inputs.configDrive).to.deep.equal(encrypted(configDrive));
    expect(outputs.configDrive).to.deep.equal(encrypted(configDrive));
    const { plaintext, ...mark } = outputs.driveHash as { plaintext: string };
    expect(JSON.parse(plaintext)).to.match(/^[0-9a-f]{64}$/);
    expect({ ...mark, plaintext: "" }).to.deep.equal({ ...encrypted(""), plaintext: "" });
  });

  it("is something that a refresh finds unchanged", async () => {
    const w = scene();
    const { id, inputs, outputs } = await written(w);
    const { version: _version, __provider: _code, ...outs } = outputs;
    const seen = await w.refresh({ id, inputs, outs });
    expect(seen?.outs).to.deep.equal(outs);
  });

  const REFUSED: readonly [what: string, args: Partial<ImportArgs>, asks: boolean][] = [
    ["what does not say what is booted", { kernel: undefined, ramdisk: undefined }, false],
    ["half of what is booted", { ramdisk: undefined }, false],
    ["a drive that Ironic would not take", { configDrive: "#cloud-config" }, false],
    ["what is not what the node boots", B, true],
    ["another instance than the node's", { adopt: NODE }, true],
    ["a node that is claimed, as unclaimed", { adopt: "unclaimed" }, true],
  ];
  for (const [what, args, asks] of REFUSED) {
    it(`is not written for ${what}, nor is anything on the node`, async () => {
      const w = scene();
      const before = structuredClone(w.node());
      const error = await rejection(w.clock.run(importFile({ ...ARGS, ...args }, w.services, fakeCall())));
      expect(error).to.be.instanceOf(ProblemError);
      expect(w.node()).to.deep.equal(before);
      expect(w.client.writes).to.deep.equal([]);
      expect(w.asked().length > 0).to.equal(asks);
    });
  }
});
