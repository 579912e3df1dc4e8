// Mocha's spec reporter, then what was skipped and what passed only on another try, then the totals alone on a line.
const { Spec } = require("mocha").reporters;
const { EVENT_RUN_END, EVENT_TEST_PASS, EVENT_TEST_PENDING } = require("mocha").Runner.constants;

module.exports = class Totals extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    const again = [];
    runner.on(EVENT_TEST_PASS, (test) => {
      if (test.currentRetry() > 0) again.push(test.fullTitle());
    });
    runner.on(EVENT_TEST_PENDING, (test) => skipped.push(test.fullTitle()));
    runner.once(EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats;
      for (const title of again) process.stdout.write(`passed on another try: ${title}\n`);
      for (const title of skipped) process.stdout.write(`skipped: ${title}\n`);
      process.stdout.write(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ""}\n`);
    });
  }
};
