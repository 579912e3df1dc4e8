import { execFileSync } from "node:child_process";
import { expect } from "chai";
import type { Node } from "../../provider/node/node.ts";
import { commandsFor } from "../../provider/node-config/hand-commands.ts";
import { newNode } from "../fakes/fake-node.ts";
import { NOW } from "../fakes/nodes.ts";

const ID = "00000000-0000-4000-8000-000000000001";
const commands = (fields: Record<string, unknown>, node: Partial<Node> = {}) =>
  commandsFor(newNode(1, NOW, node), fields);
const SET = `baremetal node set ${ID}`;
const UNSET = `baremetal node unset ${ID}`;

/** What the client is given where a person pastes the command into a shell. */
const pasted = (command: string): string[] => {
  const script = `baremetal() { printf '%s\\0' "$@"; }; ${command.slice(1, -1)}`;
  return execFileSync("/bin/sh", ["-c", script], { encoding: "utf8", env: {} }).split("\0").slice(3, -1);
};

describe("the commands for settings that a person writes", () => {
  const ROWS: readonly [fields: Record<string, unknown>, text: string][] = [
    [{}, ""],
    [
      { deploy_interface: "direct", boot_interface: null },
      `\`${SET} --deploy-interface direct\` and \`${UNSET} --boot-interface\``,
    ],
    [{ automated_clean: true }, `\`${SET} --automated-clean\``],
    [{ automated_clean: null }, `\`${UNSET} --automated-clean\``],
    [{ description: "" }, `\`${SET} --description ''\``],
    [{ description: "a\u202eb" }, `\`${SET} --description VALUE\``],
    [{ "driver_info/a": { b: [1] } }, `\`${SET} --driver-info 'a={"b":[1]}'\``],
    [{ "extra/a": false, "extra/b": 2 }, `\`${SET} --extra a=false --extra b=2\``],
    [{ "extra/a": "x".repeat(512) }, `\`${SET} --extra a=${"x".repeat(512)}\``],
    [{ "extra/a": "x".repeat(513) }, `\`${SET} --extra a=VALUE\``],
    [{ "driver_info/a": "console --password 1" }, `\`${SET} --driver-info a=VALUE\``],
    [{ "driver_info/a\u001b": "1", "extra/b\n": null, [`extra/${"c".repeat(513)}`]: 1 }, ""],
  ];
  for (const [fields, text] of ROWS)
    it(`are right for ${JSON.stringify(fields).slice(0, 60)}`, () => expect(commands(fields)).to.equal(text));

  it("set all capabilities at once, with those of others, and unset the property with the last one", () => {
    const properties = { capabilities: "raid:yes,boot_mode:uefi" };
    expect(commands({ "capabilities/boot_mode": "bios", "capabilities/cpu": "a" }, { properties })).to.equal(
      `\`${SET} --property capabilities=raid:yes,boot_mode:bios,cpu:a\``,
    );
    const last = { properties: { capabilities: "boot_mode:uefi" } };
    expect(commands({ "capabilities/boot_mode": null }, last)).to.equal(`\`${UNSET} --property capabilities\``);
    expect(commands({ "capabilities/boot_mode": null })).to.equal("");
  });

  it("hide capabilities among which something looks like a credential", () => {
    const properties = { capabilities: "token=abc,boot_mode:uefi" };
    expect(commands({ "capabilities/boot_mode": "bios" }, { properties })).to.equal(
      `\`${SET} --property capabilities=VALUE\``,
    );
  });

  it("give a shell each text as it is", () => {
    const texts = ["$(id)", "`id`", "a'b\"c", "a\\b", "x;y&z|w<v", "*", "!!", "~ #", "ä €", " a  b "];
    const extra = (put: (text: string) => unknown) =>
      Object.fromEntries(texts.map((text) => [`extra/${text}`, put(text)]));
    const options = (put: (text: string) => string) => texts.flatMap((text) => ["--extra", put(text)]);
    expect(pasted(commands(extra((text) => text)))).to.deep.equal(options((text) => `${text}=${text}`));
    expect(pasted(commands(extra(() => null)))).to.deep.equal(options((text) => text));
    expect(pasted(commands({ description: texts.join(" ") }))).to.deep.equal(["--description", texts.join(" ")]);
  });
});
