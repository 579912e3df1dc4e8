import { expect } from "chai";
import { CONFIG_MARKER } from "../../provider/node/marker.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import { PROVISION_STATES, type ProvisionState } from "../../provider/node/states.ts";
import { carryOut, isUnwritten, openSettingsJournal, stateBars, type Work } from "../../provider/node-config/work.ts";
import type { Fault } from "../fakes/client.ts";
import { newNode } from "../fakes/fake-node.ts";
import { settingsBy, settingsMarkBy } from "../fakes/identities.ts";
import { NOW, OTHER_INSTANCE } from "../fakes/nodes.ts";
import { scene } from "./scene.ts";

const nodeWith = (fields: Partial<Node>): Node => newNode(1, NOW, fields);

describe("the states in which settings may be written", () => {
  const bars = (provision_state: string | null, paths: readonly string[], more: Partial<Node> = {}) => {
    const decision = stateBars(nodeWith({ provision_state, ...more }), paths);
    return decision?.do === "fail" ? decision.code : decision?.do;
  };
  const FREE: readonly ProvisionState[] = ["available", "manageable", "enroll"];
  const PASSING: readonly ProvisionState[] = [
    ...(["verifying", "deploying", "wait call-back", "deleting", "cleaning", "clean wait", "inspecting"] as const),
    ...(["inspect wait", "adopting", "rescuing", "rescue wait", "unrescuing", "servicing", "service wait"] as const),
  ];

  for (const state of PROVISION_STATES)
    it(`${state}: as Ironic takes a PATCH there`, () => {
      const isHeld = state.endsWith(" hold");
      const all = isHeld ? "settings-state-unsuitable" : PASSING.includes(state) ? "wait" : undefined;
      const interfaces = all ?? (FREE.includes(state) ? undefined : "settings-state-unsuitable");
      expect(bars(state, []), "nothing").to.equal(all);
      expect(bars(state, ["automated_clean", "driver_info/boot_interface_x"]), "fields").to.equal(all);
      expect(bars(state, ["description", "boot_interface"]), "interfaces").to.equal(interfaces);
      expect(bars(state, ["boot_interface"], { maintenance: true }), "interfaces in maintenance").to.equal(all);
    });

  it("are those of the table: null is available, and one that it does not have is for a newer version", () => {
    expect(bars(null, ["deploy_interface"])).to.equal(undefined);
    expect(bars("levitating", [])).to.equal("node-state-unknown");
  });

  it("are named in the message, with the interfaces alone and what a person can do", () => {
    const active = nodeWith({ provision_state: "active" });
    expect(stateBars(active, ["deploy_interface", "description", "boot_interface"])).to.deep.include({
      problem: `deploy_interface and boot_interface of node worker-1 (${active.uuid}) cannot be changed while the node is "active"`,
    });
    expect(stateBars(nodeWith({ provision_state: "clean hold" }), []))
      .to.have.property("advice")
      .that.contains("unhold worker-1");
  });
});

describe("settings whose PATCH may never have been applied", () => {
  const STATE = { ...settingsBy("s1", "web"), unsure: true } as const;
  const marked = (stackId: string, name: string) => ({
    [CONFIG_MARKER]: { ...settingsMarkBy(stackId, name), previous: {}, written: {} },
  });

  it("were not written where the node does not show their mark", () => {
    for (const [extra, unwritten] of [
      [{}, true],
      [marked("s2", "web"), true],
      [marked("s1", "other"), true],
      [{ [CONFIG_MARKER]: "unreadable" }, true],
      [marked("s1", "web"), false],
    ] as const)
      expect(isUnwritten(nodeWith({ extra }), STATE), JSON.stringify(extra)).to.equal(unwritten);
  });

  it("are those that the state is unsure of only", () => {
    const { unsure: _, ...sure } = STATE;
    for (const state of [sure, undefined]) expect(isUnwritten(nodeWith({}), state)).to.equal(false);
  });
});

describe("the loop that writes settings", () => {
  const OPS: PatchOp[] = [{ op: "replace", path: "/description", value: "ours" }];
  /** Writes `operations`, decides at the end as `then` says, and gives what the journal holds. */
  const run = async (
    operations: PatchOp[],
    faults: Fault[] = [],
    node: Partial<Node> = {},
    more: Partial<Work> = {},
  ) => {
    const w = scene(node);
    w.fault("PATCH", "", ...faults);
    const journal = openSettingsJournal();
    const work: Work = {
      node: w.node(),
      operation: "set the settings",
      decide: (_node, attempt) => (attempt.done ? { do: "done" } : { do: "act", action: "write" }),
      patch: () => operations,
      ...more,
    };
    const end = await w.clock.run(carryOut(work, w.services, w.call, journal).catch((error: Error) => error));
    return { w, end, attempt: journal.attempt };
  };

  it("sends one PATCH, knows the node from its answer, and counts it", async () => {
    const { w, end, attempt } = await run(OPS);
    expect(w.asked()).to.deep.equal(["PATCH /nodes/N"]);
    expect(end).to.have.property("description", "ours");
    expect(attempt).to.deep.include({ done: true, writesSent: 1, backedOut: false, stillSince: undefined });
  });

  it("sends nothing where nothing is to be written", async () => {
    const { w, attempt } = await run([]);
    expect(w.asked()).to.deep.equal([]);
    expect(attempt).to.deep.include({ done: true, writesSent: 0 });
  });

  it("does not count what Ironic refused, but what may have arrived", async () => {
    for (const [fault, writesSent] of [
      ["locked", 1],
      ["loseBefore", 2],
      ["loseAfter", 2],
    ] as const)
      expect((await run(OPS, [fault])).attempt.writesSent, fault).to.equal(writesSent);
    const refused = await run(OPS, ["forbidden"]);
    expect(refused.end).to.have.property("fault", "forbidden");
    expect(refused.attempt).to.deep.include({ done: false, writesSent: 0 });
  });

  it("notes since when a deployment, or a claim, stands still", async () => {
    for (const [node, stillSince] of [
      [{ instance_uuid: OTHER_INSTANCE, provision_state: "active" }, 0],
      [{ extra: { pulumi_ironic_deployment: "any" }, provision_state: "available" }, 0],
      [{ instance_uuid: OTHER_INSTANCE, provision_state: "cleaning" }, undefined],
      [{}, undefined],
    ] as const)
      expect((await run([], [], node)).attempt.stillSince, JSON.stringify(node)).to.equal(stillSince);
  });

  it("takes back with a PATCH of its own, under its own name", async () => {
    const { w, end, attempt } = await run(
      OPS,
      [],
      {},
      {
        decide: (_node, attempt) => {
          if (attempt.backedOut) return { do: "done" };
          return { do: "act", action: attempt.done ? "backOut" : "write" };
        },
        backOut: () => [{ op: "remove", path: "/description" }],
      },
    );
    expect(w.asked()).to.deep.equal(["PATCH /nodes/N", "PATCH /nodes/N"]);
    expect(end).to.have.property("description", null);
    expect(attempt).to.deep.include({ done: false, writesSent: 0, backedOut: true });
  });
});
