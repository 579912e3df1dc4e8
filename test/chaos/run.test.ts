// The chaos run's own parts: what a seed decides, and what the judge makes of what he sees.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { assassin } from "../../chaos/assassin.ts";
import {
  type HistoryEvent,
  judgeLeft,
  judgeMost,
  judgeRestored,
  judgeStarts,
  judgeUntouched,
  since,
} from "../../chaos/assertions.ts";
import { faultKinds, schedule } from "../../chaos/faults.ts";
import { bootsIn, type Kill, type Plan, planFor, reboots, victims } from "../../chaos/plan.ts";
import type { Passage } from "../../chaos/proxy.ts";
import { type Running, Stack } from "../../chaos/pulumi-process.ts";
import { complaints, reproduction } from "../../chaos/report.ts";
import { errorsIn, uncodedIn } from "../../chaos/run.ts";

const choice = {
  free: Array.from({ length: 14 }, (_, index) => ({ name: `node-${index}`, ready: index % 3 === 2 })),
  foreign: ["node-14", "node-15"],
};
const seeds = (count: number, first = 1) => Array.from({ length: count }, (_, index) => first + index);

describe("a chaos schedule", () => {
  it("is the same for the same seed, whatever the order in which requests come", () => {
    const keys = seeds(40).map((index) => `/v1/nodes/node-${index % 8}`);
    const ask = (order: readonly string[]) => {
      const faults = schedule(7, "up 1", 0.3);
      const met = order.map((key) => [key, faults.next("GET", key)?.kind] as const);
      return Map.groupBy(met, ([key]) => key);
    };
    const byKey = (met: ReturnType<typeof ask>) =>
      [...met].map(([key, all]) => [key, all.map(([, kind]) => kind)]).sort();
    const shuffled = [...keys].sort((a, b) => (a < b ? 1 : -1));
    expect(byKey(ask(keys))).to.deep.equal(byKey(ask(shuffled)));
  });

  it("injects every kind, never the same request more than twice in a row", () => {
    const met = new Set<string>();
    const faults = schedule(3, "up 1", 0.9);
    let inRow = 0;
    for (let nth = 0; nth < 2_000; nth++) {
      const fault = faults.next("PUT", "/v1/nodes/node-1/states/provision");
      inRow = fault ? inRow + 1 : 0;
      expect(inRow).to.be.at.most(2);
      if (fault) met.add(fault.kind);
    }
    expect([...met].sort()).to.deep.equal([...faultKinds].sort());
  });

  it("refuses reads only in ways in which reads are refused", () => {
    const faults = schedule(5, "up 1", 0.9);
    const kinds = seeds(2_000).map(() => faults.next("GET", "/v1/nodes")?.kind);
    expect(kinds).to.not.include("409 locked");
    expect(kinds).to.not.include("404 no valid host");
  });
});

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

describe("how a run is repeated", () => {
  it("has all that its plan depends on", () => {
    expect(reproduction(7, 12)).to.equal("npm run chaos -- --seed 7 --runs 1 --nodes 12");
    const result = { seed: 7, broken: ["it"], errorsShown: [], left: [] };
    expect(complaints(result, 12).at(-1)).to.equal(`  again: ${reproduction(7, 12)}`);
  });
});

let serial = 0;
const event = (event_type: string, severity = "INFO"): HistoryEvent => ({
  uuid: `event-${serial++}`,
  event_type,
  event: "",
  severity,
});
const START = "deployment_start";
const END = "deployment_end";

describe("the judge of deployments", () => {
  const CASES: readonly [string, HistoryEvent[], number, boolean, number][] = [
    ["one start that ends well", [event(START), event(END)], 1, false, 0],
    ["nothing where nothing was wanted", [], 0, false, 0],
    ["none where one was wanted", [], 1, false, 1],
    ["a second start after the end", [event(START), event(END), event(START), event(END)], 1, false, 2],
    ["a start within another", [event(START), event(START), event(END)], 1, false, 2],
    [
      "a failed one that was repeated",
      [event(START), event("deploying", "ERROR"), event(START), event(END)],
      1,
      false,
      1,
    ],
    [
      "one cut off by a dead conductor",
      [event(START), event("transition", "ERROR"), event(START), event(END)],
      1,
      true,
      0,
    ],
    [
      "one that had ended when the conductor died before saying so",
      [event(START), event(END), event("transition", "ERROR"), event(START), event(END)],
      1,
      true,
      0,
    ],
    [
      "a needless second start after a conductor died",
      [event(START), event(END), event(START), event(END)],
      1,
      true,
      2,
    ],
  ];
  for (const [title, events, wanted, conductorDied, problems] of CASES)
    it(`${problems === 0 ? "accepts" : "sees"} ${title}`, () => {
      expect(judgeStarts(events, wanted, conductorDied)).to.have.length(problems);
    });

  const MOST: readonly [string, HistoryEvent[], number, boolean, number][] = [
    ["nothing where one was allowed", [], 1, false, 0],
    ["one that was cut off where one was allowed", [event(START)], 1, false, 0],
    ["one where none was allowed", [event(START), event(END)], 0, false, 1],
    ["a second one after one that was cut off", [event(START), event(START)], 1, false, 1],
    ["a failed one that was repeated", [event(START), event("deploying", "ERROR"), event(START)], 1, false, 1],
    ["one that a dead conductor cut off", [event(START), event("transition", "ERROR"), event(START)], 1, true, 0],
    ["a needless second one after a conductor died", [event(START), event(END), event(START)], 1, true, 1],
  ];
  for (const [title, events, most, conductorDied, problems] of MOST)
    it(`who asks for no success ${problems === 0 ? "accepts" : "sees"} ${title}`, () => {
      expect(judgeMost(events, most, conductorDied)).to.have.length(problems);
    });

  it("counts only what is new", () => {
    const old = [event(START), event(END)];
    const fresh = event(START);
    expect(since({ body: {}, history: old }, { body: {}, history: [...old, fresh] })).to.deep.equal([fresh]);
  });
});

describe("the judge of nodes", () => {
  const view = (body: Record<string, unknown>) => ({ body, history: [] });
  const before = view({
    updated_at: "1",
    boot_interface: "fake",
    automated_clean: null,
    properties: { capabilities: "boot_mode:uefi,rack:4" },
    extra: { asset: 1 },
  });

  it("sees any change of a node that is not ours, the time of the last change included", () => {
    expect(judgeUntouched(before, before)).to.deep.equal([]);
    expect(judgeUntouched(before, view({ ...before.body, updated_at: "2" }))).to.have.length(1);
  });

  it("wants settings back, not times", () => {
    expect(judgeRestored(before, view({ ...before.body, updated_at: "2" }))).to.deep.equal([]);
    expect(judgeRestored(before, view({ ...before.body, boot_interface: "ipxe" }))).to.have.length(1);
  });

  const marked = (stackId: string, previous: object) =>
    view({ ...before.body, boot_interface: "ipxe", extra: { asset: 1, pulumi_ironic: { stackId, previous } } });

  it("accepts what a forgotten create left, if it says truly what was there", () => {
    const previous = { boot_interface: "fake", "capabilities/rack": "4", automated_clean: null };
    expect(judgeLeft(before, marked("us", previous), "us")).to.deep.equal([]);
    expect(judgeLeft(before, marked("them", previous), "us")).to.have.length(1);
    expect(judgeLeft(before, marked("us", { boot_interface: "ipxe" }), "us")).to.have.length(1);
    expect(judgeLeft(before, view({ ...before.body, boot_interface: "ipxe" }), "us")).to.have.length(1);
  });
});

describe("errors in the engine's output", () => {
  it("are found at their resources", () => {
    const output = [
      "Diagnostics:",
      "  pulumi-nodejs:dynamic/ironic:RamdiskDeployment (node-3):",
      "    warning: only that",
      "    error: it did not work",
      "",
      "  pulumi:pulumi:Stack (chaos-seed-1):",
      "    error: update failed",
    ].join("\n");
    expect(errorsIn(output)).to.deep.equal([
      { resource: "node-3", text: "it did not work" },
      { resource: "chaos-seed-1", text: "update failed" },
    ]);
  });
});

describe("messages without a code in the engine's output", () => {
  it("are found, whether they have one line or one for each failure", () => {
    const output = [
      "  pulumi-nodejs:dynamic/ironic:RamdiskDeployment (node-3):",
      "    warning: it was switched on [node-powered-on]",
      "    error: 1 error occurred:",
      "    \t* it is held [node-held]",
      "    error: The config drive cannot be sent. Correct it:",
      "    image: it is empty [config-drive-empty]",
      "    error: it did not work",
      "",
      "  pulumi:pulumi:Stack (chaos-seed-1):",
      "    error: update failed",
    ].join("\n");
    expect(uncodedIn(output)).to.deep.equal(["it did not work"]);
  });
});

describe("a command of a stack", () => {
  it("is ended at the deadline that it was given", async () => {
    const dir = mkdtempSync(join(tmpdir(), "stack-"));
    try {
      const env = { PATH: process.env.PATH ?? "" };
      const options = { dir, project: "p", program: "p.ts", name: "s", env, pulumi: "sleep", config: {} };
      const { timedOut, code } = await new Stack({ ...options, deadlineMs: 100 }).run(["20"]);
      expect({ timedOut, code }).to.deep.equal({ timedOut: true, code: undefined });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe("an assassin", () => {
  const kill: Kill = {
    victim: "interrupt",
    phase: "up",
    request: "PATCH",
    nth: 1,
    when: "after",
    delayMs: 0,
    reaction: "again",
    patient: true,
    outageMs: 0,
    outage: "reset",
  };
  const passage = { method: "PATCH", path: "/v1/nodes/node-1" } as Passage;
  const unused = { killConductor: () => Promise.reject(), startConductor: () => Promise.reject() };
  const running = (pid: number | undefined): Running => ({
    pid: pid ?? 0,
    family: () => [],
    provider: () => undefined,
  });

  for (const late of [false, true])
    it(`${late ? "who is late spares the next command" : "strikes the command whose request it was"}`, async () => {
      const victim = spawn(process.execPath, ["-e", "setTimeout(() => {}, 20_000)"]);
      const exit = once(victim, "exit");
      try {
        await once(victim, "spawn");
        const stack = { running: running(victim.pid) };
        const killer = assassin({ ...kill, delayMs: 30 }, stack, unused);
        await killer.watch("before", passage);
        await killer.watch("after", passage);
        if (late) stack.running = running(victim.pid);
        expect(await Promise.race([exit, sleep(late ? 150 : 10_000, "lives")])).to.deep.equal(
          late ? "lives" : [null, "SIGINT"],
        );
        expect(killer.done()).to.equal(late ? undefined : "interrupt");
      } finally {
        victim.kill("SIGKILL");
      }
    });
});
