// What is forgotten must not compile: tsc checks the lines below `@ts-expect-error`.
import { expect } from "chai";
import {
  NODE_CONFIG_ARGUMENTS,
  type NodeConfigProps,
  type NodeConfigTable,
} from "../../provider/node-config/arguments.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { BaremetalNodeConfigArgs } from "../../provider/node-config/index.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import type { IdentityInputs } from "../../provider/stack/identity.ts";
import { settingsBy } from "../fakes/identities.ts";
import type { Equal, Plain } from "../fakes/types.ts";
import { world } from "../fakes/world.ts";

type Public = Omit<NodeConfigProps, keyof IdentityInputs>;
true satisfies Equal<Plain<BaremetalNodeConfigArgs>, Public>;
// @ts-expect-error an argument of the class that has no schema
true satisfies Equal<Plain<BaremetalNodeConfigArgs & { owner?: string }>, Public>;
// @ts-expect-error another type
true satisfies Equal<Plain<Omit<BaremetalNodeConfigArgs, "extra"> & { extra?: string | undefined }>, Public>;

const { extra, ...others } = NODE_CONFIG_ARGUMENTS;
// @ts-expect-error extra has no row
others satisfies NodeConfigTable;
// @ts-expect-error there is no such argument
({ ...NODE_CONFIG_ARGUMENTS, owner: extra }) satisfies NodeConfigTable;

const INPUTS = { node: "worker-1", ...settingsBy("stack-1", "settings") };

/** Of each argument a value, and another one. */
const VALUES: Readonly<Record<keyof NodeConfigProps, readonly [unknown, unknown]>> = {
  node: ["worker-1", "worker-2"],
  deployInterface: ["ramdisk", "direct"],
  bootInterface: ["ipxe", "pxe"],
  automatedCleaning: [true, false],
  driverInfo: [{ a: 1 }, { a: 2 }],
  capabilities: [{ boot_mode: "uefi" }, { boot_mode: "bios" }],
  description: ["a", "b"],
  extra: [{ a: 1 }, { a: 2 }],
  onDestroy: ["restore", "keep"],
  reenableAutomatedCleaning: [true, false],
  stackId: ["a", "b"],
  stackName: ["a", "b"],
  resourceId: ["a", "b"],
  resourceName: ["a", "b"],
};

describe("the arguments of a BaremetalNodeConfig", () => {
  for (const [name, { change }] of Object.entries(NODE_CONFIG_ARGUMENTS))
    it(`${name}: a change of it shows as what the table says`, async () => {
      const w = world(nodeConfigHandler);
      const first = await w.made(undefined, INPUTS);
      const [before, after] = VALUES[name as keyof NodeConfigProps];
      const stored = { ...first, outs: { ...first.outs, [name]: before } };
      for (const value of [after, UNKNOWN]) {
        const { changes, replaces } = await w.diff(stored, { ...INPUTS, [name]: value });
        expect({ changes, replaces }, String(value)).to.deep.equal({
          changes: change !== "identity",
          replaces: change === "replaces" ? [name] : [],
        });
      }
      expect((await w.diff(stored, { ...INPUTS, [name]: before })).changes).to.equal(false);
    });

  it("say nothing new with a default that is written out, or a map without keys", async () => {
    const w = world(nodeConfigHandler);
    const first = await w.made(undefined, INPUTS);
    const { changes } = await w.diff(first, { ...INPUTS, deployInterface: "ramdisk", extra: {} });
    expect(changes).to.equal(false);
  });

  it("of a state that have another type are refused by name, and nothing is touched", async () => {
    const w = world(nodeConfigHandler);
    const first = await w.made(undefined, INPUTS);
    const writes = w.client.writes.length;
    const broken = { ...first, outs: { ...first.outs, previous: "none" } };
    expect((await w.destroy(broken))?.message).to.match(
      /^The state of BaremetalNodeConfig "settings" is not usable: previous: must be an object/,
    );
    expect(w.client.writes).to.have.length(writes);
  });
});
