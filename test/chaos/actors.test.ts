import { expect } from "chai";
import { accountOf, actorKinds, type Casting, withCleaning } from "../../chaos/actors.ts";
import { harmlessLies } from "../../chaos/lies.ts";
import { planFor } from "../../chaos/plan.ts";
import { seeds } from "./seeds.ts";

const choice = {
  free: Array.from({ length: 14 }, (_, index) => ({ name: `node-${index}`, ready: index % 3 === 2 })),
  foreign: ["node-14", "node-15"],
};
const half: Casting = { kinds: actorKinds, share: 0.5 };
const plans = (first = 1) => seeds(200, first).map((seed) => planFor(seed, choice, half));

describe("the second actor of a plan", () => {
  it("is the same for the same seed, and changes nothing else of a plan with the administrator's account", () => {
    for (const plan of plans()) {
      expect(planFor(plan.seed, choice, half)).to.deep.equal(plan);
      if (accountOf(plan.actor) === "system")
        expect({ ...plan, actor: undefined }).to.deep.equal(planFor(plan.seed, choice));
    }
  });

  it("is there in half of any two hundred runs, each kind at least twenty times", () => {
    for (const first of [1, 5_003]) {
      const met = plans(first).map(({ actor }) => actor?.kind);
      expect(met.filter((kind) => kind !== undefined).length).to.be.within(80, 120);
      for (const kind of actorKinds) expect(met.filter((one) => one === kind).length, kind).to.be.at.least(20);
    }
  });

  it("is nobody who was not asked for", () => {
    for (const seed of seeds(40)) {
      expect(planFor(seed, choice, { kinds: [], share: 1 }).actor).to.equal(undefined);
      expect(planFor(seed, choice, { kinds: ["lag"], share: 0 }).actor).to.equal(undefined);
      expect(planFor(seed, choice, { kinds: ["lag"], share: 1 }).actor?.kind).to.equal("lag");
    }
  });

  it("acts on the stack's own nodes, in phases that there are", () => {
    for (const { actor, up, update } of plans())
      for (const { node, phase } of actor?.kind === "lessee" ? actor.acts : []) {
        expect(up.machines.map((machine) => machine.node)).to.include(node);
        expect(["up", "destroy", ...(update ? ["update"] : [])]).to.include(phase);
      }
  });

  it("leaves the mark of a create that the engine will forget", () => {
    for (const { actor, kill } of plans())
      if (actor?.kind === "lessee" && kill !== undefined && kill.reaction !== "again")
        for (const { lie } of actor.acts) expect(harmlessLies).to.include(lie);
  });

  it("hides a part of the nodes only from the account of a project, which cannot turn cleaning off", () => {
    const hiding = plans().flatMap(({ actor, up, update }) =>
      actor?.kind === "hiding" ? [{ actor, machines: [...up.machines, ...(update?.machines ?? [])] }] : [],
    );
    const parts = hiding.filter(({ actor }) => actor.nodes !== "all");
    expect(parts).to.not.have.length(0);
    for (const { actor } of parts) expect(actor.account).to.equal("project");
    for (const { actor, machines } of hiding)
      if (actor.account === "project")
        for (const machine of machines) expect(machine).to.deep.equal(withCleaning(machine));
  });
});
