import { expect } from "chai";
import type { Node } from "../../provider/node/node.ts";
import { knownSettings, NOTHING_KNOWN, warnOfDoubtful } from "../../provider/node-config/known-settings.ts";
import { fakeCall } from "../fakes/call.ts";
import { newNode } from "../fakes/fake-node.ts";
import { NOW } from "../fakes/nodes.ts";

const nodeWith = (fields: Partial<Node>): Node => newNode(1, NOW, fields);

describe("what is known of settings", () => {
  const record = (path: string, before: unknown, value: unknown) => ({
    previous: { [path]: before },
    written: { [path]: value },
  });
  const NODE = nodeWith({ boot_interface: "http", description: "ours", driver_info: { deploy_kernel: "k2", a_b: 2 } });
  type Settings = typeof NOTHING_KNOWN;
  type Row = [
    what: string,
    mark: Settings | undefined,
    state: Settings,
    known: Partial<ReturnType<typeof knownSettings>>,
  ];
  const STATE = record("boot_interface", "ipxe", "pxe");
  const ROWS: readonly Row[] = [
    ["is the state's word where no mark is there", undefined, STATE, STATE],
    [
      "is the state's word where the mark says the same of what was written, whatever it says of what was there",
      record("boot_interface", "forged", "pxe"),
      STATE,
      STATE,
    ],
    [
      "is what a later run wrote that was killed, with what the state knows from before",
      record("boot_interface", "forged", "http"),
      STATE,
      record("boot_interface", "ipxe", "http"),
    ],
    [
      "is the state's word where the node does not show that later value",
      record("boot_interface", "x", "y"),
      STATE,
      STATE,
    ],
    [
      "is what the mark says of a field of which the state knows nothing",
      record("description", "theirs", "ours"),
      STATE,
      {
        previous: { ...STATE.previous, description: "theirs" },
        written: { ...STATE.written, description: "ours" },
      },
    ],
    [
      "takes a field for unset before where the mark does not say what was there",
      { previous: {}, written: { description: "ours" } },
      NOTHING_KNOWN,
      record("description", null, "ours"),
    ],
    [
      "leaves a value in doubt that may not come from a mark",
      record("driver_info/deploy_kernel", "k1", "k2"),
      NOTHING_KNOWN,
      { doubtful: { "driver_info/deploy_kernel": "k1" } },
    ],
    [
      "has no doubt of what the state knows",
      record("driver_info/deploy_kernel", "forged", "k2"),
      record("driver_info/deploy_kernel", "k1", "k2"),
      record("driver_info/deploy_kernel", "k1", "k2"),
    ],
    [
      "has no doubt where the node has another value by now, or had the same before",
      {
        previous: { "driver_info/deploy_kernel": "k1", "driver_info/a_b": 2 },
        written: { "driver_info/deploy_kernel": "k3", "driver_info/a_b": 2 },
      },
      NOTHING_KNOWN,
      {},
    ],
    ["is nothing of what no BaremetalNodeConfig manages", record("lessee", "evil", null), NOTHING_KNOWN, {}],
  ];
  for (const [what, mark, state, known] of ROWS)
    it(what, () => {
      const before = structuredClone(state);
      expect(knownSettings(NODE, mark, state)).to.deep.equal({ previous: {}, written: {}, doubtful: {}, ...known });
      expect(state, "the state's own record").to.deep.equal(before);
    });

  it("depends on the program for what a mark may bring back only where the program manages the field", () => {
    const mark = record("driver_info/a_b", 1, 2);
    for (const [managed, known] of [
      [true, { ...mark, doubtful: {} }],
      [false, { ...NOTHING_KNOWN, doubtful: mark.previous }],
    ] as const)
      expect(knownSettings(NODE, mark, NOTHING_KNOWN, (path) => managed && path === "driver_info/a_b")).to.deep.equal(
        known,
      );
  });
});

describe("what a later run wrote that was killed, of a field that the program manages", () => {
  it("leaves nothing in doubt: the program writes it anew, and the state knows what was there before", () => {
    const node = nodeWith({ driver_info: { deploy_kernel: "k2" } });
    const record = (value: string) => ({
      previous: { "driver_info/deploy_kernel": "k0" },
      written: { "driver_info/deploy_kernel": value },
    });
    const known = knownSettings(node, record("k2"), record("k1"), () => true);
    expect(known).to.deep.equal({ ...record("k1"), doubtful: {} });
  });
});

describe("the warning of what is in doubt", () => {
  const warned = (doubtful: Record<string, unknown>): readonly string[] => {
    const call = fakeCall();
    warnOfDoubtful(nodeWith({}), doubtful, call.warn);
    return call.shown;
  };
  const ID = "00000000-0000-4000-8000-000000000001";
  const WHY = "because only the record on the node says that this stack changed it, and others may have written that";

  it("is not given where nothing is", () => expect(warned({})).to.deep.equal([]));

  it("names all fields, and the command by which a person writes them", () => {
    expect(warned({ "driver_info/a": "1", "extra/b": null })).to.deep.equal([
      `Node worker-1 (${ID}): not restored, ${WHY}: driver_info/a, extra/b. Check the value before you use it: \`baremetal node set ${ID} --driver-info a=1\` and \`baremetal node unset ${ID} --extra b\`. [settings-mark-not-trusted]`,
    ]);
  });

  it("shows no character of a name that a terminal obeys, and gives no command for such a name", () => {
    const [text, ...more] = warned({ "driver_info/a\u001b[2Jé\nb": "1" });
    expect(more).to.deep.equal([]);
    expect(text).to.equal(
      `Node worker-1 (${ID}): not restored, ${WHY}: driver_info/a?[2J??b. [settings-mark-not-trusted]`,
    );
  });
});
