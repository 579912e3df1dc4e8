import { expect } from "chai";
import { bootsIn, type Plan, planFor, reboots, victims } from "../../chaos/plan.ts";
import { seeds } from "./seeds.ts";

const choice = {
  free: Array.from({ length: 14 }, (_, index) => ({ name: `node-${index}`, ready: index % 3 === 2 })),
  foreign: ["node-14", "node-15"],
};

describe("a chaos plan", () => {
  it("is the same for the same seed", () => {
    for (const seed of seeds(20)) expect(planFor(seed, choice)).to.deep.equal(planFor(seed, choice));
  });

  it("has each kind of kill at least twenty times in any two hundred seeds", () => {
    for (const first of [1, 5_003]) {
      const killed = seeds(200, first).map((seed) => planFor(seed, choice).kill?.victim);
      for (const victim of victims) expect(killed.filter((one) => one === victim).length, victim).to.be.at.least(20);
    }
  });

  it("never takes a node that is in other hands, save to be refused", () => {
    for (const seed of seeds(100))
      for (const { node } of planFor(seed, choice).up.machines) expect(choice.foreign).to.not.include(node);
  });

  it("knows which changes reboot a machine", () => {
    const [machine] = planFor(1, choice).up.machines;
    if (machine === undefined) throw new Error("no machine");
    const other = (deployment: object) => ({ ...machine, deployment: { ...machine.deployment, ...deployment } });
    expect(reboots(machine, other({ timeoutSeconds: 5 }))).to.equal(false);
    expect(reboots(machine, other({ kernelArguments: "other" }))).to.equal(true);
  });
});

describe("how often a phase may boot a node", () => {
  const [machine] = planFor(1, choice).up.machines;
  if (machine === undefined) throw new Error("no machine");
  const named = (node: string, deployment: object = {}) => ({
    ...machine,
    node,
    deployment: { ...machine.deployment, ...deployment },
  });
  const plan: Plan = {
    seed: 1,
    rate: 0,
    up: { machines: ["changed", "same", "dropped"].map((node) => named(node)) },
    update: { machines: [named("changed", { kernelArguments: "other" }), named("same", { timeoutSeconds: 5 })] },
    foreign: undefined,
    kill: undefined,
    actor: undefined,
  };
  for (const [phase, times] of [
    ["up", { changed: 1, same: 1, dropped: 1 }],
    ["update", { changed: 1, same: 0, dropped: 0 }],
    ["destroy", { changed: 0, same: 0, dropped: 0 }],
  ] as const)
    it(`${phase}: ${JSON.stringify(times)}`, () => {
      for (const [node, count] of Object.entries(times)) expect(bootsIn(plan, phase, node), node).to.equal(count);
    });
});
