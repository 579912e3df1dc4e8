/** How the time that work takes grows with what it works on: a ratio, which does not depend on the machine's speed. */

const factor = 16;
const rounds = 7;
/** Less is noise: of the clock, of the compiler, of other processes. */
const leastMs = 0.25;
/** No noise any more: once is enough. */
const plentyMs = 200;

/** Of the processor, as the clock on the wall also counts what others do. */
const bestMs = (work: () => unknown): number => {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
    if (best > plentyMs) break;
  }
  return best;
};

/**
 * How many times longer `work` takes on a text that is sixteen times as long: about 16 where it looks at each character a
 * few times, 256 where it looks at the rest of the text from each, more where it tries combinations.
 */
export const growth = (length: number, work: (length: number) => () => unknown): number => {
  const short = bestMs(work(length));
  return bestMs(work(length * factor)) / Math.max(short, leastMs);
};

/** Between the 16 of a few looks and the 256 of the next worse kind. */
export const growthMax = 80;
