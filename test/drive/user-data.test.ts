import { expect } from "chai";
import { parse as parseYaml } from "yaml";
import { buildUserData, checkUserData, type UserDataArgs } from "../../provider/drive/user-data.ts";
import { describeFailure, UNKNOWN } from "../../provider/schema/index.ts";

const textOf = (args: UserDataArgs): string => {
  const built = buildUserData(args);
  return "text" in built ? built.text : Buffer.from(built.bytes).toString("latin1");
};

describe("user-data", () => {
  it("leaves text as it is", () => {
    expect(buildUserData("#!/bin/sh\r\necho ü\n")).to.deep.equal({ text: "#!/bin/sh\r\necho ü\n" });
  });

  it("makes a cloud-config whose text does not depend on the order of keys", () => {
    const a = textOf({ cloudConfig: { b: [1, "two"], a: { d: null, c: true } } });
    expect(a).to.equal('#cloud-config\n"a":\n  "c": true\n  "d": null\n"b":\n  - 1\n  - "two"\n');
    expect(textOf({ cloudConfig: { a: { c: true, d: null }, b: [1, "two"] } })).to.equal(a);
  });

  it("quotes what YAML 1.1, which cloud-init reads, takes for something else", () => {
    const cloudConfig = {
      a: "yes",
      b: "0o17",
      c: "017",
      d: "1:20",
      e: "null",
      f: "~",
      g: "2024-01-01",
      h: "# no",
      i: "<<",
      j: "=",
      k: "two\nlines\n",
      long: "x ".repeat(200).trim(),
    };
    const text = textOf({ cloudConfig });
    expect(parseYaml(text, { version: "1.1" })).to.deep.equal(cloudConfig);
    expect(text.split("\n").at(-2)).to.have.length.above(390);
  });

  it("escapes what YAML 1.1 takes for the end of a line", () => {
    expect(textOf({ cloudConfig: { "a\u2028": "\u0085b\u2029" } })).to.equal(
      '#cloud-config\n"a\\u2028": "\\u0085b\\u2029"\n',
    );
  });

  it("writes a repeated object out each time", () => {
    const same = { name: "x" };
    expect(textOf({ cloudConfig: { a: same, b: same } })).not.to.match(/[&*]/);
  });

  it("packs several parts into one message, always the same", () => {
    const args = {
      parts: [
        { text: "#!/bin/sh\necho hi\n" },
        { cloudConfig: { packages: ["jq"] }, mergeType: "list(append)" },
        { text: "anything", contentType: "text/x-own", filename: "own.txt" },
      ],
    };
    const text = textOf(args);
    expect(textOf(structuredClone(args))).to.equal(text);
    expect(text).to.equal(
      [
        'Content-Type: multipart/mixed; boundary="===============pulumi-ironic=="',
        "MIME-Version: 1.0",
        "",
        "--===============pulumi-ironic==",
        'Content-Type: text/x-shellscript; charset="utf-8"',
        "MIME-Version: 1.0",
        "Content-Transfer-Encoding: base64",
        'Content-Disposition: attachment; filename="part-001"',
        "",
        "IyEvYmluL3NoCmVjaG8gaGkK",
        "--===============pulumi-ironic==",
        'Content-Type: text/cloud-config; charset="utf-8"',
        "MIME-Version: 1.0",
        "Content-Transfer-Encoding: base64",
        'Content-Disposition: attachment; filename="part-002"',
        "X-Merge-Type: list(append)",
        "",
        "I2Nsb3VkLWNvbmZpZwoicGFja2FnZXMiOgogIC0gImpxIgo=",
        "--===============pulumi-ironic==",
        'Content-Type: text/x-own; charset="utf-8"',
        "MIME-Version: 1.0",
        "Content-Transfer-Encoding: base64",
        'Content-Disposition: attachment; filename="own.txt"',
        "",
        "YW55dGhpbmc=",
        "--===============pulumi-ironic==--",
        "",
      ].join("\n"),
    );
  });

  it("passes gzip on untouched", () => {
    const bytes = Uint8Array.from([0x1f, 0x8b, 8, 0, 255, 254]);
    expect(buildUserData({ gzipBase64: Buffer.from(bytes).toString("base64") })).to.deep.equal({
      bytes: Buffer.from(bytes),
    });
  });

  const wrong: [value: unknown, failure: string][] = [
    [3, "userData: must be a string or an object"],
    [{}, "userData: set one of cloudConfig, parts, gzipBase64"],
    [{ cloudConfig: {}, gzipBase64: "AAAA" }, "userData.gzipBase64: conflicts with cloudConfig: set only one"],
    [{ cloudConfig: [] }, "userData.cloudConfig: must be an object"],
    [{ cloud_config: {} }, "userData.cloud_config: there is no such property; did you mean cloudConfig?"],
    [{ gzipBase64: "not base64!" }, "userData.gzipBase64: is not base64"],
    [{ parts: [] }, "userData.parts: must have at least 1 entries"],
    [{ parts: [{}] }, "userData.parts[0]: set text or cloudConfig"],
    [{ parts: [{ text: "a", cloudConfig: {} }] }, "userData.parts[0].cloudConfig: conflicts with text: set only one"],
    [
      { parts: [{ text: "a", filename: 'a"b' }] },
      'userData.parts[0].filename: must be a plain file name, without ", \\ and /',
    ],
    [
      { parts: [{ text: "a", contentType: "script" }] },
      "userData.parts[0].contentType: must be a MIME type, such as text/x-shellscript",
    ],
    [
      { parts: [{ text: "a", mergeType: "a\nb" }] },
      "userData.parts[0].mergeType: must be one line of plain ASCII text",
    ],
  ];
  for (const [value, failure] of wrong) {
    it(`refuses ${JSON.stringify(value)}`, () =>
      expect(checkUserData(value).map(describeFailure)).to.deep.equal([failure]));
  }

  it("judges only what is known", () => {
    for (const value of [
      UNKNOWN,
      { cloudConfig: UNKNOWN },
      { parts: UNKNOWN },
      { parts: [UNKNOWN] },
      { parts: [{ text: UNKNOWN }] },
      { gzipBase64: UNKNOWN },
    ]) {
      expect(checkUserData(value), JSON.stringify(value)).to.deep.equal([]);
    }
  });
});
