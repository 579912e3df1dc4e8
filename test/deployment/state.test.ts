import { expect } from "chai";
import {
  claimFrom,
  driftOf,
  hasWork,
  liveInputs,
  outputsOf,
  type State,
  stateSchema,
} from "../../provider/deployment/state.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { bootHashOf, saltedDriveHash } from "../../provider/node/slow-hash.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import { slowHash } from "../fakes/call.ts";
import { DRIVE } from "../fakes/deployments.ts";
import { BEFORE, CLAIM, INFO, MARK, NOW, nodeIn } from "../fakes/nodes.ts";

const { instanceUuid, ...IDENTITY } = CLAIM;
const RUNS = { bootHash: "hash", preparedAt: BEFORE, at: NOW };
const STATE: State = {
  ...IDENTITY,
  node: "worker-1",
  ...INFO,
  nodeUuid: nodeIn("active", "ours").uuid,
  instanceUuid,
  provisionState: "active",
  powerState: "power on",
  started: RUNS,
};
const [BOOTS, SALTED] = await Promise.all([
  bootHashOf(slowHash, INFO, instanceUuid),
  saltedDriveHash(slowHash, "d", instanceUuid),
]);
/** As this deployment left it, but for `fields` and what the marker says otherwise. */
const left = (fields: Partial<Node> = {}, mark: object = {}, state = "active"): Node => {
  const marker = { ...MARK, preparedAt: BEFORE, bootHash: BOOTS, ...mark };
  return nodeIn(state, "ours", { extra: { [DEPLOYMENT_MARKER]: marker }, ...fields });
};

describe("the outputs of a deployment", () => {
  it("say what the node shows, and when a running machine became active", () => {
    const extra = { name: null, power_state: null };
    expect(outputsOf(left(extra), CLAIM, { ready: true })).to.deep.equal({
      nodeUuid: STATE.nodeUuid,
      nodeName: undefined,
      instanceUuid,
      provisionState: "active",
      powerState: "unknown",
      deployedAt: NOW,
      ready: true,
    });
    expect(outputsOf(left({}, {}, "deploying"), CLAIM)).not.to.have.property("deployedAt");
    expect(outputsOf(left({ provision_state: null }), CLAIM).provisionState).to.equal("available");
  });

  it("are read from a state without those that only a reader wants to know", () => {
    const { provisionState: _state, powerState: _power, ...rest } = STATE;
    expect(stateSchema.parse(rest)).to.deep.equal({ ...rest, provisionState: "unknown", powerState: "unknown" });
  });

  it("hold the claim, which no longer is a new one", () => expect(claimFrom(STATE)).to.deep.equal(CLAIM));
});

describe("a deployment has work to do", () => {
  const drive = { ...STATE, configDrive: DRIVE };
  for (const [what, work, state, news] of [
    ["nowhere where nothing changed", false, {}, {}],
    ["where the machine does not run", true, { provisionState: "deploy failed" }, {}],
    ["where it is off and should be on", true, { powerState: "power off", powerPolicy: "on" }, {}],
    ["not where it is off and may be", false, { powerState: "power off" }, {}],
    ["not for the drive in another form", false, drive, { configDrive: JSON.stringify(DRIVE, null, 2) }],
    ["for another drive", true, drive, { configDrive: { meta_data: { name: "other" } } }],
    ["for a drive that is not known yet, also where there is none", true, {}, { configDrive: UNKNOWN }],
    ["where refresh found a drift", true, { drift: "x" }, {}],
    ["where the readiness probe was not answered", true, { ready: false }, {}],
    ["for a drive that is no longer wanted", true, drive, { configDrive: undefined }],
    ["not for what counts at creation only", false, {}, { adopt: "unclaimed", resourceName: "other" }],
  ] as const)
    it(what, () => {
      const before: State = { ...STATE, ...state };
      expect(hasWork(before, { ...before, ...news })).to.equal(work);
    });
});

describe("the drift of a deployment", () => {
  const drive = { instance_info: { ...INFO, configdrive: "******" } };
  const moved = { instance_info: { ...INFO, kernel: "http://images/b.kernel" } };
  const masked = { instance_info: { ...INFO, ramdisk_kernel_arguments: "token=******" } };
  const boot = (text: string) => `what it boots was changed${text} [drift-boot-changed]`;
  const CASES: readonly [what: string, drift: string | undefined, node: Node, state?: Partial<State>][] = [
    ["none where all is as it was left", undefined, left()],
    ["none with its drive", undefined, left(drive, { driveHash: SALTED }), { driveHash: "d" }],
    ["none where Ironic hides what it boots", undefined, left(masked)],
    ["none where an adopted machine has a drive of its own", undefined, left(drive), { adopted: true }],
    ["an undeployment by others", "undeployed [drift-undeployed]", nodeIn("available", "free")],
    ["an undeployment that left the marker", "undeployed [drift-undeployed]", nodeIn("available", "marked")],
    [
      "no undeployment where it only began",
      "instance_uuid was removed [drift-claim-removed]",
      nodeIn("deleting", "marked"),
    ],
    ["a restart that did not come", boot(", but it was not restarted since"), left({}, { preparedAt: NOW })],
    ["an update that was cut off", "an update did not finish [drift-boot-changed]", left({}, { preparedAt: "other" })],
    ["none of boots while the machine is not active", undefined, left(moved, { preparedAt: NOW }, "deploy failed")],
    ["what others wrote", boot(" by somebody else, but it was not restarted since"), left(moved)],
    [
      "another drive",
      "another config drive was sent [drift-config-drive]",
      left(drive, { driveHash: "e" }),
      { driveHash: "d" },
    ],
    ["a drive that was added", "a config drive was added or removed [drift-config-drive]", left(drive)],
    [
      "several at once",
      "in maintenance [node-in-maintenance]; an update did not finish [drift-boot-changed]",
      left({ maintenance: true }, { preparedAt: "other" }),
    ],
  ];
  for (const [what, drift, node, state] of CASES)
    it(`is ${what}`, async () => expect(await driftOf(node, { ...STATE, ...state }, slowHash)).to.equal(drift));
});

describe("the live inputs of a deployment", () => {
  const declared = { ...IDENTITY, node: "worker-1", ...INFO };
  const quiet = { kernelArguments: "token=1 quiet" };
  const shown = (ramdisk_kernel_arguments: string) => ({ instance_info: { ...INFO, ramdisk_kernel_arguments } });
  const CASES: readonly [what: string, inputs: object, node: Node, state?: Partial<State>][] = [
    ["are the declared ones of a machine that is not ours", declared, nodeIn("active", "free", shown("loud"))],
    ["are the declared ones of a machine that does not run", declared, left(shown("loud"), {}, "deploying")],
    ["have what was added", { ...declared, kernelArguments: "loud" }, left(shown("loud"))],
    ["lack what was removed", declared, left(), quiet],
    [
      "keep an empty text that stands for nothing",
      { ...declared, kernelArguments: "" },
      left(),
      { kernelArguments: "" },
    ],
    ["keep a secret that Ironic hides", { ...declared, ...quiet }, left(shown("token=****** quiet")), quiet],
    ["have no image_source", declared, left({ instance_info: { ...INFO, image_source: INFO.ramdisk } })],
    ["say nothing of a protection that nobody asked for", declared, left({ protected: true })],
    [
      "say that it is not protected where Ironic does not",
      { ...declared, protected: false },
      left({ protected: undefined }),
      { protected: true },
    ],
  ];
  for (const [what, inputs, node, state] of CASES)
    it(what, () => expect(liveInputs(node, { ...STATE, ...state })).to.deep.equal(inputs));
});
