import fc from "fast-check";
import { actorsIn } from "./actors.ts";
import { hashesFor } from "./hashes.ts";
import { plansWith } from "./plan.ts";
import { walk } from "./walk.ts";

/**
 * `MODEL_WALKS` walks less far, where that has to be quick; `npm run model` walks further, and elsewhere. `MODEL_ACTORS` says
 * who else is in the world (actors.ts).
 */
const WALKS = Number(process.env.MODEL_WALKS ?? 2_000);
if (!Number.isSafeInteger(WALKS) || WALKS < 1) throw new Error("MODEL_WALKS is not a number of walks");
const SEED = 20_260_101;

/** Each actor by itself, so that a promise that is broken names who did it, and a walk without any; or those that are named. */
const NAMED = process.env.MODEL_ACTORS;
const WORLDS = NAMED === undefined ? ["none", ...actorsIn(undefined)] : [NAMED];
const WALKS_EACH = Math.ceil(WALKS / WORLDS.length);

describe("a stack among crashes, faults, operators and other clients", () => {
  for (const world of WORLDS)
    it(`keeps every promise on ${WALKS_EACH} random walks, beside ${world === "none" ? "nobody else" : world}`, async function () {
      this.timeout(300_000);
      const actors = actorsIn(world);
      await hashesFor(actors);
      await fc.assert(
        fc.asyncProperty(plansWith(actors), async (plan) => {
          const { violations } = await walk(plan);
          if (violations.length > 0) throw new Error(violations.join("\n"));
        }),
        { seed: SEED, numRuns: WALKS_EACH },
      );
    });
});
