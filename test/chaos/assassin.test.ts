import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { assassin } from "../../chaos/assassin.ts";
import type { Kill } from "../../chaos/plan.ts";
import type { Passage } from "../../chaos/proxy.ts";
import type { Running } from "../../chaos/pulumi-process.ts";

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
