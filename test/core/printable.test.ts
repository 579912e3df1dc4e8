import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import { printableName, printed, withCode } from "../../provider/core/index.ts";
import { printable } from "../../provider/core/printable.ts";

describe("a text for a person", () => {
  const STEERING: readonly [what: string, raw: string, shown: string][] = [
    ["the start of an escape sequence", "\u001b[2J", "\\u001b[2J"],
    ["its form in one character", "\u009b2J", "\\u009b2J"],
    ["a backspace", "ab\b\b", "ab\\u0008\\u0008"],
    ["a return to the line's start", "held\rfree", "held\\u000dfree"],
    ["a bell, a null, a delete", "\u0007\u0000\u007f", "\\u0007\\u0000\\u007f"],
    ["a change of the reading direction", "\u202egnp\u2066\u200f", "\\u202egnp\\u2066\\u200f"],
    ["other line ends", "a\u0085b\u2028c", "a\\u0085b\\u2028c"],
  ];
  for (const [what, raw, shown] of STEERING)
    it(`shows ${what} and does not carry it out`, () => {
      expect(printable(raw)).to.equal(shown);
      expect(printable(shown)).to.equal(shown);
      expect(printableName(raw)).to.equal(shown);
    });

  it("keeps lines and tabs of messages, but not in a name", () => {
    expect(printable("a\n\tb é 日本 👩‍💻")).to.equal("a\n\tb é 日本 👩‍💻");
    expect(printableName("a\n\tb é")).to.equal("a\\u000a\\u0009b é");
  });

  it("leaves by no door with them", () => {
    expect(withCode("a\u001bb", "node-held")).to.equal("a\\u001bb [node-held]");
    const several = new ProblemError({
      problem: "a\u001bb:",
      failures: [{ path: "c\u001b", reason: "d\u202e", code: "argument-invalid" }],
    });
    for (const error of [
      several,
      new Error("a\u001bb"),
      new ProblemError({ code: "node-held", problem: "\u001b", advice: "" }),
    ])
      expect(printed(error)).not.to.match(/\p{Bidi_Control}|(?!\n)\p{Cc}/u);
  });
});
