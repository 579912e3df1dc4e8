import { expect } from "chai";
import { IronicError, ProblemError } from "../../provider/core/errors.ts";
import type { Fault } from "../../provider/core/faults.ts";
import { ACTIONS, type ActionContext, type Deploy } from "../../provider/deployment/actions.ts";
import { type ActionName, type Attempt, type Event, newAttempt } from "../../provider/deployment/attempt.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import { bootHashOf } from "../../provider/node/slow-hash.ts";
import { slowHash } from "../fakes/call.ts";
import { B } from "../fakes/deployments.ts";
import { BEFORE, CLAIM, INFO, MARK, NOW, nodeIn } from "../fakes/nodes.ts";
import { WANT } from "./decided.ts";

const DEPLOY: Deploy = { want: WANT, was: undefined, loadDrive: async () => undefined };
const GUARD: PatchOp = { op: "add", path: "/instance_uuid", value: CLAIM.instanceUuid };
const RUNNING = nodeIn("active", "ours");
const hashOf = (info: object) => bootHashOf(slowHash, info, CLAIM.instanceUuid);
const marking = (value: object): PatchOp => ({ op: "add", path: `/extra/${DEPLOYMENT_MARKER}`, value });
const marked = (node: Node, fields: object): Node => ({
  ...node,
  extra: { [DEPLOYMENT_MARKER]: { ...MARK, preparedAt: BEFORE, ...fields } },
});

interface Done {
  events: Event[];
  /** Each PATCH, PUT and question. */
  sent: unknown[];
  error: unknown;
}

async function act(action: ActionName, node: Node, context: Partial<ActionContext> = {}): Promise<Done> {
  const done: Done = { events: [], sent: [], error: undefined };
  const unexpected = async (): Promise<never> => {
    throw new Error("nobody asked for this");
  };
  const all: ActionContext = {
    node,
    claim: CLAIM,
    attempt: newAttempt(),
    deploy: DEPLOY,
    slowHash,
    record: (event) => void done.events.push(event),
    read: unexpected,
    patch: async (operations, _operation, later) => {
      done.sent.push(later === undefined ? operations : { later, operations });
      return node;
    },
    put: async (target, _operation, drive) => void done.sent.push([target, drive]),
    clearMaintenance: unexpected,
    validate: unexpected,
    askHistory: unexpected,
    ...context,
  };
  await ACTIONS[action](all).catch((error: unknown) => {
    done.error = error;
  });
  return done;
}

const refusing = (fault: Fault) => async () => {
  throw new IronicError({ fault, operation: "deploy", request: "PUT", detail: "no" });
};
const attempt = (fields: Partial<Attempt>) => ({ attempt: { ...newAttempt(), ...fields } });
/** The marker in the last operation of a PATCH. */
const markerIn = ({ sent }: Done) => (sent[0] as { operations: PatchOp[] }).operations.at(-1)?.value;

describe("the action that writes down what a deployment boots", () => {
  it("claims a free node, after what was begun before", async () => {
    const { sent, events } = await act("claim", nodeIn("available", "free"));
    const mark = { ...MARK, bootHash: WANT.bootHash, preparedAt: NOW };
    const boots = Object.entries(INFO).map(([key, value]) => ({ op: "add", path: `/instance_info/${key}`, value }));
    expect(sent).to.deep.equal([{ later: true, operations: [GUARD, ...boots, marking(mark)] }]);
    const stood = { info: {}, marker: undefined };
    expect(events).to.deep.equal([{ kind: "prepared", stood, marked: false, pending: false }]);
  });

  it("does not wait in a redeploy, in which the node is free for others", async () => {
    const { sent } = await act("claim", nodeIn("available", "free"), attempt({ undeploys: 1 }));
    expect(sent).to.have.nested.property("[0].later", false);
  });

  it("marks what is wanted, and keeps what a later version had written into the marker", async () => {
    const want = { ...WANT, driveHash: "d", keep: true };
    const node = marked(RUNNING, { bootHash: "a", driveHash: "c", later: "version" });
    const done = await act("prepare", node, { deploy: { ...DEPLOY, want } });
    expect(markerIn(done)).to.include({ driveHash: "d", keep: true, later: "version", bootHash: WANT.bootHash });
  });

  it("remembers what a running machine boots, and what it still runs where the last one was never begun", async () => {
    const begun = marked(RUNNING, { bootHash: "a" });
    const first = await act("prepare", begun, { deploy: { ...DEPLOY, want: { ...WANT, info: B } } });
    expect(markerIn(first)).to.deep.include({ bootHash: WANT.bootHash, runningBootHash: await hashOf(INFO) });
    const stood = { info: INFO, marker: begun.extra[DEPLOYMENT_MARKER] };
    expect(first.events).to.deep.equal([{ kind: "prepared", stood, marked: true, pending: false }]);
    const second = await act("prepare", marked(RUNNING, { bootHash: "a", runningBootHash: "b", preparedAt: NOW }));
    expect(markerIn(second)).to.include({ runningBootHash: "b", preparedAt: NOW });
    expect(second.events).to.have.nested.property("[0].pending", true);
  });

  it("takes what Ironic hides from the state only where the marker proves it", async () => {
    const was = { ...INFO, ramdisk_kernel_arguments: "token=1" };
    const hidden = { ...INFO, ramdisk_kernel_arguments: "token=******", image_source: INFO.ramdisk };
    const node = { ...RUNNING, instance_info: hidden };
    const stoodOn = async (bootHash: string, state: object | undefined) =>
      (await act("prepare", marked(node, { bootHash }), { deploy: { ...DEPLOY, was: state } })).events;
    expect(await stoodOn(await hashOf(was), was)).to.have.deep.nested.property("[0].stood.info", {
      ...was,
      image_source: INFO.ramdisk,
    });
    expect(await stoodOn(await hashOf(INFO), was)).to.have.nested.property("[0].stood", undefined);
    expect(await stoodOn(await hashOf(was), undefined)).to.have.nested.property("[0].stood", undefined);
  });

  it("is undone by another, that writes back the values and the marker of before", async () => {
    const node = marked({ ...RUNNING, instance_info: B }, { preparedAt: NOW });
    const marker = { ...MARK, preparedAt: BEFORE, bootHash: "a" };
    const values = Object.entries(INFO).map(([key, value]) => ({ op: "add", path: `/instance_info/${key}`, value }));
    for (const [before, operation] of [
      [marker, marking(marker)],
      [undefined, { op: "remove", path: `/extra/${DEPLOYMENT_MARKER}` }],
    ] as const) {
      const { sent, events } = await act("revert", node, attempt({ before: { info: INFO, marker: before } }));
      expect(sent).to.deep.equal([[GUARD, ...values, operation]]);
      expect(events).to.deep.equal([{ kind: "reverted" }]);
    }
    expect((await act("revert", node)).error).to.be.instanceOf(TypeError);
  });
});

describe("the other actions of a deployment", () => {
  it("write back no more than the marker where the node shows the rest", async () => {
    const last = { bootHash: WANT.bootHash, preparedAt: BEFORE, at: NOW };
    const mark = { ...MARK, bootHash: WANT.bootHash, preparedAt: "rewritten" };
    expect((await act("writeBack", RUNNING)).sent).to.deep.equal([[GUARD, marking(mark)]]);
    const { sent } = await act(
      "writeBack",
      { ...RUNNING, instance_info: { ...INFO, ramdisk: "******" } },
      {
        deploy: { ...DEPLOY, want: { ...WANT, last } },
      },
    );
    const ramdisk = { op: "add", path: "/instance_info/ramdisk", value: INFO.ramdisk };
    expect(sent).to.deep.equal([[GUARD, ramdisk, marking({ ...mark, preparedAt: BEFORE })]]);
  });

  it("send the drive with a start, and take back that it was sent only where it surely was not applied", async () => {
    const deploy = { ...DEPLOY, loadDrive: async () => "drive" };
    const started = { kind: "accepted", verb: "rebuild" };
    expect(await act("rebuild", RUNNING, { deploy })).to.deep.include({
      sent: [["rebuild", "drive"]],
      events: [{ kind: "startSent" }, started],
    });
    for (const [fault, kinds] of [
      ["locked", ["startSent", "startRefused"]],
      ["ambiguous", ["startSent"]],
    ] as const) {
      const { events, error } = await act("deploy", RUNNING, { deploy, put: refusing(fault) });
      expect(events.map(({ kind }) => kind)).to.deep.equal(kinds);
      expect(error).to.have.property("fault", fault);
    }
  });

  it("undeploy without a look at the drive where nothing is deployed afterwards", async () => {
    const events = [{ kind: "accepted", verb: "deleted" }];
    const sent = [["deleted", undefined]];
    expect(await act("undeploy", RUNNING, { deploy: undefined })).to.deep.include({ events, sent });
    const loadDrive = async () => Promise.reject(new Error("not readable"));
    const { error, ...rest } = await act("undeploy", RUNNING, { deploy: { ...DEPLOY, loadDrive } });
    expect(rest).to.deep.equal({ events: [], sent: [] });
    expect(error).to.have.property("message", "not readable");
  });

  it("say what Ironic's validation refused, and whether the machine was touched", async () => {
    for (const [undeploys, advice] of [
      [0, "The machine was not touched. Correct the node or the deployment and run `pulumi up` again."],
      [1, "Correct the node or the deployment and run `pulumi up` again."],
    ] as const) {
      const validate = async () => ["boot: no kernel", "power: no address"];
      const { error, events } = await act("validate", RUNNING, { ...attempt({ undeploys }), validate });
      expect(error).to.be.instanceOf(ProblemError);
      expect(error).to.deep.include({ code: "node-validation-failed", node: RUNNING.uuid, advice });
      expect(error)
        .to.have.property("problem")
        .that.match(/worker-1 .* cannot be deployed: boot: no kernel; power: no/);
      expect(events).to.deep.equal([]);
    }
    const { events } = await act("validate", RUNNING, { validate: async () => [] });
    expect(events).to.deep.equal([{ kind: "validated" }]);
  });

  it("ask the history since the marker, else since the state's last start", async () => {
    const last = { bootHash: "a", preparedAt: BEFORE, at: NOW };
    for (const [node, want, since] of [
      [RUNNING, { ...WANT, last }, BEFORE],
      [nodeIn("active", "unmarked"), { ...WANT, last }, NOW],
      [nodeIn("active", "unmarked"), WANT, null],
    ] as const) {
      const asked: (string | null)[] = [];
      const askHistory = async (moment: string | null) => {
        asked.push(moment);
        return "none" as const;
      };
      const { events } = await act("askHistory", node, { deploy: { ...DEPLOY, want }, askHistory });
      expect(asked).to.deep.equal([since]);
      expect(events).to.deep.equal([{ kind: "remembered", history: "none" }]);
    }
  });

  it("note what happens on destroy in the marker that stands there, and leave the rest of it", async () => {
    const node = marked(RUNNING, { bootHash: "a", keep: true, later: "version" });
    const stood = node.extra[DEPLOYMENT_MARKER] as object;
    expect((await act("markKeep", node)).sent).to.deep.equal([[GUARD, marking({ ...stood, keep: false })]]);
  });

  it("protect with a reason that says whose it is, and lift that under the guard", async () => {
    const value = `pulumi-ironic: worker (${CLAIM.instanceUuid})`;
    const reason = { op: "add", path: "/protected_reason", value };
    const isProtected = { op: "add", path: "/protected", value: true };
    expect((await act("protect", RUNNING)).sent).to.deep.equal([[GUARD, isProtected, reason]]);
    const lifted = { op: "replace", path: "/protected", value: false };
    expect((await act("unprotect", RUNNING)).sent).to.deep.equal([[GUARD, lifted]]);
  });

  it("tell the attempt of each step that repeats a failed cleaning", async () => {
    const clearMaintenance = async () => undefined;
    for (const verb of ["manage", "provide", "endMaintenance"] as const)
      expect((await act(verb, RUNNING, { clearMaintenance })).events).to.deep.equal([{ kind: "accepted", verb }]);
  });
});
