/**
 * Random walks of a stack over an Ironic in memory (test/model/walk.ts), as many as wanted:
 * `node scripts/model.ts [--walks N] [--seed S] [--path P] [--actors NAME,…]`. Prints walks and requests
 * per second. A walk that breaks a promise is shrunk and printed by the promise's number, with the seed and path that repeat
 * it; the exit code is then 1. `--actors` says who else is in the world (test/model/actors.ts): `all`, `none`, or names.
 */
import { parseArgs } from "node:util";
import fc from "fast-check";
import { actorsIn } from "../test/model/actors.ts";
import { hashesFor } from "../test/model/hashes.ts";
import { plansWith } from "../test/model/plan.ts";
import { walk } from "../test/model/walk.ts";

const { values } = parseArgs({
  options: {
    walks: { type: "string" },
    seed: { type: "string" },
    path: { type: "string" },
    actors: { type: "string" },
  },
});
const count = (text: string | undefined, fallback: number): number => {
  const value = Number(text ?? fallback);
  if (!Number.isSafeInteger(value)) throw new Error(`${text} is not a whole number`);
  return value;
};
const walks = count(values.walks, 100_000);
const seed = count(values.seed, Date.now() % 2 ** 31);
const REPORT_EVERY_MS = 5_000;

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

let walked = 0;
let steps = 0;
let requests = 0;
const actors = actorsIn(values.actors ?? process.env.MODEL_ACTORS);
await hashesFor(actors);
const startedAt = performance.now();
let reportedAt = startedAt;

const rates = (): string => {
  const seconds = (performance.now() - startedAt) / 1000;
  const perSecond = (amount: number) => Math.round(amount / seconds);
  return `${walked} walks, ${steps} steps, ${requests} requests in ${seconds.toFixed(1)} s: ${perSecond(walked)} walks/s, ${perSecond(steps)} steps/s, ${perSecond(requests)} requests/s`;
};

say(`${walks} walks from seed ${seed}, beside: ${actors.join(", ") || "no actors"}`);
const result = await fc.check(
  fc.asyncProperty(plansWith(actors), async (plan) => {
    const report = await walk(plan);
    walked++;
    steps += plan.steps.length;
    requests += report.requests;
    if (performance.now() - reportedAt > REPORT_EVERY_MS) {
      reportedAt = performance.now();
      say(rates());
    }
    if (report.violations.length > 0) throw new Error(report.violations.join("\n"));
  }),
  { seed, numRuns: walks, ...(values.path !== undefined && { path: values.path }) },
);
say(rates());
if (result.failed) {
  say(JSON.stringify(result.counterexample?.[0], null, 1));
  say(result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance));
  say(
    `A promise was broken. Again: node scripts/model.ts --walks 1 --seed ${result.seed} --path ${result.counterexamplePath} --actors ${actors.join(",") || "none"}`,
  );
  process.exitCode = 1;
} else say("All promises were kept.");
