// Mocha's spec reporter, which also leaves the totals in the file that TOTALS_FILE names, for scripts/test.ts.
const { writeFileSync } = require("node:fs");
const { relative, sep } = require("node:path");
const { Spec } = require("mocha").reporters;
const { EVENT_RUN_END, EVENT_SUITE_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } =
  require("mocha").Runner.constants;

module.exports = class Totals extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    const again = [];
    const failed = [];
    const seconds = {};
    let lastAt = performance.now();
    // Suites of the first level follow each other, hooks included.
    runner.on(EVENT_SUITE_END, (suite) => {
      if (!suite.parent?.root || !suite.file) return;
      const file = relative(process.cwd(), suite.file).replaceAll(sep, "/");
      const now = performance.now();
      seconds[file] = Number(((seconds[file] ?? 0) + (now - lastAt) / 1000).toFixed(1));
      lastAt = now;
    });
    runner.on(EVENT_TEST_PENDING, (test) => skipped.push(test.fullTitle()));
    runner.on(EVENT_TEST_PASS, (test) => {
      if (test.currentRetry() > 0) again.push(test.fullTitle());
    });
    runner.on(EVENT_TEST_FAIL, (test, error) => failed.push(`${test.fullTitle()}\n${error.stack ?? error}`));
    runner.once(EVENT_RUN_END, () => {
      const { passes, failures } = runner.stats;
      if (process.env.TOTALS_FILE)
        writeFileSync(process.env.TOTALS_FILE, JSON.stringify({ passes, failures, skipped, again, failed, seconds }));
    });
  }
};
