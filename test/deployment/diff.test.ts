import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import { B, DRIVE, INPUTS, NODE, scene } from "../fakes/deployments.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";

describe("RamdiskDeployment: diff", () => {
  it("finds nothing where nothing changed, whatever the spelling of the node", async () => {
    const w = scene();
    const first = await w.made(undefined, { ...INPUTS, configDrive: DRIVE });
    w.asked();
    for (const node of ["worker-1", NODE]) {
      const text = `{ "meta_data": {"name": "worker-1"} }`;
      const diff = await w.diff(first, { ...INPUTS, node, configDrive: text });
      expect(diff).to.deep.equal({ changes: false, replaces: [], deleteBeforeReplace: true });
    }
    expect(w.asked()).to.deep.equal([]);
  });

  it("replaces for another node, an unknown one, and another allocation", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    const second = w.ironic.add();
    for (const change of [{ node: "worker-2" }, { node: second.node.uuid }, { node: "none" }, { node: UNKNOWN }])
      expect(await w.diff(first, { ...INPUTS, ...change })).to.deep.include({ changes: true, replaces: ["node"] });
    expect((await w.diff(first, { ...INPUTS, allocation: OTHER_INSTANCE })).replaces).to.deep.equal(["allocation"]);
  });

  it("asks Ironic whether a new name is the same node", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    w.fake.node.name = "renamed";
    expect((await w.diff(first, { ...INPUTS, node: "renamed" })).changes).to.equal(false);
  });

  it("replaces nothing while Ironic does not say whether a new name is the same node", async () => {
    for (const fault of ["overloaded", "unreachable", "serverError", "noConductor"] as const) {
      const w = scene();
      const first = await w.made(undefined, INPUTS);
      w.fault("GET", "/nodes/renamed", fault);
      const error = await w.diff(first, { ...INPUTS, node: "renamed" }).catch((thrown: Error) => thrown);
      expect(error, fault).to.be.instanceOf(ProblemError);
      expect((error as Error).message).to.match(
        /^It is not known whether renamed is the node that the state knows as worker-1, .*Nothing was changed\. Run again/,
      );
    }
  });

  it("stops asking whether a new name is the same node when the run is interrupted", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    w.fault("GET", "/nodes/renamed", "hangBefore");
    w.before(() => w.call.abort());
    const startMs = w.clock.now();
    const error = await w.diff(first, { ...INPUTS, node: "renamed" }).catch((thrown: Error) => thrown);
    expect(error).to.be.instanceOf(Error);
    expect(w.clock.now() - startMs).to.equal(0);
  });

  it("updates for each input, for unknown drives, and for what is wrong with the machine", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    for (const change of [
      { kernel: B.kernel },
      { kernelArguments: "quiet" },
      { configDrive: DRIVE },
      { configDrive: UNKNOWN },
      { onDestroy: "keep" },
      { readiness: { tcp: "h:1" } },
    ])
      expect(await w.diff(first, { ...INPUTS, ...change })).to.deep.include({ changes: true, replaces: [] });
    for (const outs of [{ provisionState: "error" }, { drift: "x" }, { ready: false }])
      expect((await w.diff({ ...first, outs: { ...first.outs, ...outs } }, INPUTS)).changes).to.equal(true);
  });
});
