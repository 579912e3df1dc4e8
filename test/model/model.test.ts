import fc from "fast-check";
import { plans } from "./plan.ts";
import { ready, walk } from "./walk.ts";

/** `MODEL_WALKS` walks less far, where that has to be quick; `npm run model` walks further, and elsewhere. */
const WALKS = Number(process.env.MODEL_WALKS ?? 2_000);
if (!Number.isSafeInteger(WALKS) || WALKS < 1) throw new Error("MODEL_WALKS is not a number of walks");
const SEED = 20_260_101;

describe("a stack among crashes, faults, operators and other clients", () => {
  before(() => ready);

  it(`keeps every promise on ${WALKS} random walks`, async function () {
    this.timeout(300_000);
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { violations } = await walk(plan);
        if (violations.length > 0) throw new Error(violations.join("\n"));
      }),
      { seed: SEED, numRuns: WALKS },
    );
  });
});
