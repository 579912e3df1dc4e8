import { expect } from "chai";
import { type Journal, openJournal } from "../../provider/deployment/attempt.ts";
import { createMachine, type DeployMachine } from "../../provider/deployment/machine.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import { PATIENCE_MS } from "../../provider/node/recency.ts";
import { slowHash } from "../fakes/call.ts";
import { DRIVE, scene } from "../fakes/deployments.ts";
import { BEFORE, CLAIM, INFO, NOW } from "../fakes/nodes.ts";
import type { World } from "../fakes/world.ts";
import { WANT } from "./decided.ts";

const { signal } = new AbortController();

interface Setting {
  w: World;
  machine: DeployMachine;
  journal: Journal;
}

/** A machine on a node that is prepared for this deployment. */
async function machineOn(drive?: unknown): Promise<Setting> {
  const w = scene({ instance_uuid: CLAIM.instanceUuid, instance_info: { ...INFO } });
  const journal = openJournal();
  const machine = createMachine({
    connection: await w.services.connection(),
    clock: w.clock,
    slowHash,
    initial: structuredClone(w.node()),
    claim: CLAIM,
    journal,
    deploy: {
      want: { ...WANT, last: { bootHash: WANT.bootHash, preparedAt: BEFORE, at: NOW } },
      was: undefined,
      loadDrive: async () => drive,
    },
  });
  return { w, machine, journal };
}

const act = ({ w, machine }: Setting, action: Parameters<DeployMachine["act"]>[0]) =>
  w.clock.run(machine.act(action, machine.last(), signal));

describe("the machine of a deployment", () => {
  it("spares the first read, and tells the journal of each observation", async () => {
    const { w, machine, journal } = await machineOn();
    journal.record({ kind: "startSent" });
    expect((await machine.observe("now", signal)).node.provision_state).to.equal("available");
    expect(w.asked()).to.deep.equal([]);
    expect(journal.attempt.started).to.equal(false);
    w.ironic.move(w.fake, "deploying");
    await w.clock.run(machine.observe("now", signal));
    expect(w.asked()).to.deep.equal(["GET /nodes/N"]);
    expect(machine.last().provision_state).to.equal("deploying");
    expect(journal.attempt.started).to.equal(true);
  });

  it("tells the journal of an action before it is done, whatever becomes of it", async () => {
    const setting = await machineOn();
    await act(setting, "validate");
    expect(setting.journal.attempt).to.include({ touched: false, validated: true });
    setting.w.fault("PATCH", "/nodes/", "serverError");
    expect(await act(setting, "claim").catch((error: unknown) => error)).to.have.property("fault", "serverError");
    expect(setting.journal.attempt).to.include({ touched: true, prepared: false });
  });

  it("has the node from then on as a PATCH answered it", async () => {
    const setting = await machineOn();
    setting.w.fake.node.name = "renamed";
    await act(setting, "markKeep");
    expect(setting.machine.last()).to.deep.include({ name: "renamed", extra: setting.w.node().extra });
    expect(setting.w.node().extra).to.have.property(DEPLOYMENT_MARKER);
    expect(setting.w.asked()).to.deep.equal(["PATCH /nodes/N"]);
  });

  for (const drive of [undefined, DRIVE])
    it(`sends a start ${drive ? "with a drive, and shows that one is there as Ironic does" : "without a drive"}`, async () => {
      const setting = await machineOn(drive);
      await act(setting, "deploy");
      expect(setting.w.client.writes.map(({ body }) => body)).to.deep.equal([
        { target: "active", ...(drive && { configdrive: drive }) },
      ]);
      expect(setting.machine.last().instance_info).to.deep.equal({ ...INFO, ...(drive && { configdrive: "******" }) });
    });

  for (const [title, sends, appearsMs, history, tookMs] of [
    ["believes at once that there was no start where it has sent none", undefined, undefined, "none", 0],
    ["believes at once that there was one", "deploy", 0, "start", 0],
    ["asks again for a start that it has sent itself", "deploy", 5_000, "start", 5_000],
    ["believes after a while that its own start did not arrive", "deploy", undefined, "none", PATIENCE_MS],
    ["does not wait for the sake of an undeployment", "undeploy", undefined, "none", 0],
  ] as const)
    it(`${title}, when it asks the history`, async () => {
      const setting = await machineOn();
      const { w, journal } = setting;
      const event = (created_at: string) => ({ uuid: created_at, created_at, event_type: "deployment_start" });
      if (sends) {
        w.fault("PUT", "/states/provision", "loseBefore");
        expect(await act(setting, sends).catch((error: unknown) => error)).to.have.property("fault", "ambiguous");
      }
      const from = w.clock.now();
      const seen = { event: "start", severity: "INFO" };
      w.before(() => {
        const arrived = appearsMs !== undefined && w.clock.now() - from >= appearsMs;
        w.fake.history = [BEFORE, ...(arrived ? [NOW] : [])].map((at) => ({ ...event(at), ...seen }));
      });
      await act(setting, "askHistory");
      expect(journal.attempt.history).to.equal(history);
      expect(w.clock.now() - from).to.equal(tookMs);
    });
});
