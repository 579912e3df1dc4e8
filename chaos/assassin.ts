// Ends the engine, the provider or the conductor at a certain request, once.
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab/lab.ts";
import { bornAt } from "../lab/processes.ts";
import { endProcess, isProvider, type Process, untilGone } from "./kin.ts";
import type { Kill, Victim } from "./plan.ts";
import type { Passage } from "./proxy.ts";
import type { Running, Stack } from "./pulumi-process.ts";
import { countdown } from "./requests.ts";

/** A provider may finish the request that it is in, and then has to go: provider/plugin/bridge.ts gives it two seconds. */
const ORPHAN_MS = 6_000;

export interface Assassin {
  /** For the proxy. */
  watch(when: "before" | "after", passage: Passage): Promise<void>;
  /** Who was ended, once that has happened. */
  done(): Victim | undefined;
  /** When it happened. */
  at(): number | undefined;
  /** Resolves when all is in order again: the conductor is back, orphans have gone. Gives what went wrong. */
  settled(): Promise<string[]>;
}

export function assassin(
  kill: Kill,
  stack: Pick<Stack, "running">,
  lab: Pick<Lab, "killConductor" | "startConductor">,
): Assassin {
  const isTime = countdown(kill);
  let done: Victim | undefined;
  let at: number | undefined;
  let aftermath: Promise<string[]> = Promise.resolve([]);

  const DEEDS: Readonly<Record<Victim, (running: Running) => Promise<boolean>>> = {
    engine: async (running) => {
      const family = running.family();
      const born = bornAt(running.pid);
      if (born === undefined || !endProcess({ pid: running.pid, born, command: "pulumi" })) return false;
      aftermath = bury(family);
      return true;
    },
    provider: async (running) => {
      const provider = running.provider();
      return provider !== undefined && endProcess(provider);
    },
    interrupt: async (running) => {
      process.kill(running.pid, "SIGINT");
      return true;
    },
    conductor: async () => {
      await lab.killConductor();
      aftermath = sleep(kill.outageMs)
        .then(() => lab.startConductor())
        .then(() => []);
      return true;
    },
  };

  async function strike(running: Running | undefined): Promise<void> {
    // The command may have ended meanwhile, and the next one have begun.
    if (running === undefined || stack.running !== running || !(await DEEDS[kill.victim](running))) return;
    done = kill.victim;
    at = Date.now();
  }

  return {
    done: () => done,
    at: () => at,
    settled: () => aftermath,
    async watch(when, passage) {
      if (!isTime(when, passage)) return;
      const { running } = stack;
      if (kill.delayMs === 0) await strike(running);
      else setTimeout(() => void strike(running).catch(() => {}), kill.delayMs);
    },
  };
}

/** A dead engine's provider must end by itself; the rest of the family is Pulumi's, and is ended here if need be. */
async function bury(family: readonly Process[]): Promise<string[]> {
  const left = await untilGone(family, ORPHAN_MS);
  for (const process of left) endProcess(process);
  return left.some(isProvider) ? [`the provider still ran ${ORPHAN_MS / 1000} s after its engine had died`] : [];
}
