import { expect } from "chai";
import { withoutRecords } from "../../provider/core/records.ts";
import { growth, growthMax } from "../fakes/growth.ts";

describe("a server's text", () => {
  const ROWS: readonly [what: string, text: string, shown: string][] = [
    [
      "the operation that Ironic could not apply",
      `Couldn't apply patch '{'op': 'add', 'path': '/extra/x', 'value': {'a': "it's {", 'b': ['}']}}'. Reason: can't replace`,
      "Couldn't apply patch '{…}'. Reason: can't replace",
    ],
    [
      "a whole patch, and the node in the reason",
      `Couldn't apply patch '[{"op": "add", "value": "hunter22"}]'. Reason: member 'x' not found in {'uuid': 'u', 'driver_info': {}}`,
      "Couldn't apply patch '[…]'. Reason: member 'x' not found in {…}",
    ],
    [
      "a patch that is cut off or wrongly quoted, up to the reason",
      `Couldn't apply patch '{'op': 'add', 'value': 'it's'. Reason: x'}'. Reason: can't remove`,
      "Couldn't apply patch '{…}'. Reason: can't remove",
    ],
    ["a record that does not end", 'Schema error for body: {"user_data": "#clo', "Schema error for body: {…}"],
    ["a list of records", "Schema error: [{'op': 'add'}] is too short", "Schema error: […] is too short"],
    ["words to choose from", "Valid are ['ipxe', 'pxe'].", "Valid are ['ipxe', 'pxe']."],
    [
      "addresses and ranges",
      "http://[2001:db8::1]:6385 is not in [0, 10)",
      "http://[2001:db8::1]:6385 is not in [0, 10)",
    ],
    ["a record behind a range", "[0, 10) but {'a': 'hunter22'} is", "[0, 10) but {…} is"],
    ["braces without content", "patch '{}' and {0}", "patch '{}' and {0}"],
    ["no record", "Node n is locked by host h", "Node n is locked by host h"],
  ];
  for (const [what, text, shown] of ROWS)
    it(`is shown without records: ${what}`, () => expect(withoutRecords(text)).to.equal(shown));

  for (const unit of ["{", "[", "[{", "'", "{'", '{"\\', "[]", "{}", "'. Reason: {"])
    it(`of ${JSON.stringify(unit)}, repeated, is gone through in time that grows with its length`, () =>
      expect(
        growth(1_024, (length) => {
          const text = unit.repeat(length);
          return () => withoutRecords(text);
        }),
      ).to.be.below(growthMax));
});
