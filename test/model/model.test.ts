import fc from "fast-check";
import { plans, ready, walk } from "./walk.ts";

/** `npm run model` walks further, and elsewhere. */
const WALKS = 2_000;
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
