import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment, drive } from "./recipes.ts";

const hostnameOf = (name: string) => `host-of-${name}`;

describe("ConfigDrive (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(() => stack.remove());

  /** The drive, JSON or image, that Ironic holds for the node, from its database, as the API masks it. */
  const received = (node: string): string => {
    const code =
      "import json, sqlite3, sys; row = sqlite3.connect(sys.argv[1], timeout=30).execute(" +
      "'SELECT instance_info FROM nodes WHERE uuid = ?', (sys.argv[2],)).fetchone(); " +
      "drive = json.loads(row[0]).get('configdrive', ''); " +
      "print(drive if isinstance(drive, str) else json.dumps(drive))";
    const args = ["-c", code, join(judge.lab.dir, "ironic.sqlite"), judge.uuid(node)];
    const text = execFileSync(judge.lab.python, args, { encoding: "utf8", timeout: 60_000 }).trim();
    return text.startsWith("{") ? text : gunzipSync(Buffer.from(text, "base64")).toString("latin1");
  };

  it("brings names and addresses to the machine, with the MAC addresses of the node's ports", async () => {
    let node = await judge.take();
    // Odd nodes of the lab have two ports.
    while (judge.lab.nodes.find(({ name }) => name === node)?.macs.length !== 2) node = await judge.take();
    const macs = judge.lab.nodes.find(({ name }) => name === node)?.macs ?? [];
    const { ports } = await judge.send("GET", `/v1/ports?node=${node}&detail=true`);
    const describeAll = (args: Record<string, unknown>, network: unknown) => {
      stack.resources = [
        config("w", node),
        drive("w", { ref: "config:w.node" }, { metaData: { hostname: hostnameOf(node) }, network, ...args }),
        deployment("w", judge.lab, { configDrive: { ref: "drive:w.content" } }),
      ];
    };
    // As an operator does who changes a card: Ironic wants maintenance for that.
    const setAddress = async (uuid: string, value: unknown) => {
      await judge.send("PUT", `/v1/nodes/${node}/maintenance`, {});
      await judge.send("PATCH", `/v1/ports/${uuid}`, [{ op: "replace", path: "/address", value }]);
      await judge.send("DELETE", `/v1/nodes/${node}/maintenance`);
    };
    const byPort = { interfaces: [{ mac: macs[1], addresses: ["192.0.2.10/24"] }] };
    describeAll({ userData: "#".repeat(70 * 1024) }, byPort);
    expect(await stack.up()).to.match(
      /warning: Config drive of node \S+: the drive has \d+ bytes; over 65536 makes the state and runs slow/,
    );
    const { outputs } = await stack.stateOf("ConfigDrive", "w");
    expect(outputs.ports).to.deep.equal([macs[1]]);
    const image = received(node);
    expect(image).to.contain(hostnameOf(node)).and.to.contain(macs[1]).and.to.contain("192.0.2.10");
    expect(image).to.not.contain(macs[0]);

    // The port gets another address: shown, and brought to the machine.
    const changed = "52:54:00:ff:ff:01";
    const { uuid } = ports.find(({ address }: { address: string }) => address === macs[1]);
    describeAll({}, { interfaces: [{ port: uuid, addresses: ["192.0.2.10/24"] }] });
    await stack.up();
    await setAddress(uuid, changed);
    expect(await stack.preview("--refresh", "--diff")).to.match(/drift\s*: "the node's ports or/);
    await stack.up("--refresh");
    expect(received(node)).to.contain(changed).and.to.not.contain(macs[1]);
    await stack.settled();

    const running = judge.writes(node).length;
    describeAll({}, byPort);
    expect(await stack.fails("up")).to.match(new RegExp(`ConfigDrive \\(w\\):\\s+error: [^\\n]*${macs[1]}`));
    describeAll({ userData: "#".repeat(1100 * 1024) }, { interfaces: [{ dhcp4: true }] });
    expect(await stack.fails("up")).to.match(
      /ConfigDrive resource 'w' has a problem: userData: [^\n]*over 1048576 is refused/,
    );
    expect(judge.writes(node).length).to.equal(running);
    await setAddress(uuid, macs[1]);
    await stack.destroy();
  });

  it("made from a directory stays out of the state and is read at deploy; a changed file is one rebuild", async () => {
    const node = await judge.take();
    const directory = join(stack.folder, "files");
    const write = (text: string) => {
      stack.write("files/openstack/latest/meta_data.json", JSON.stringify({ uuid: "u", hostname: hostnameOf(node) }));
      stack.write("files/openstack/latest/user_data", text);
    };
    const bulk = "not to be found in the state. ".repeat(20_000);
    write(`first ${bulk}`);
    stack.resources = [
      config("w", node),
      drive("w", { ref: "config:w.node" }, { directory }),
      deployment("w", judge.lab, { configDrive: { ref: "drive:w.content" } }),
    ];
    await stack.up();
    expect(received(node)).to.contain("first not to be found").and.to.contain(hostnameOf(node));
    expect((await stack.export()).length).to.be.lessThan(60_000);
    await stack.settled();
    write(`second ${bulk}`);
    await stack.up();
    expect(received(node)).to.contain("second not to be found");
    expect(judge.moves(node)).to.deep.equal(["deploying", "active", "deploying", "active"]);
    await stack.destroy();
  });
});
