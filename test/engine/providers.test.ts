// A stack that spans several Ironics: explicit `Provider`s, whose configuration comes and changes as users' does.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parse, stringify } from "yaml";
import { type Lab, openLab, startLab } from "../../lab/lab.ts";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import type { Described } from "./programs/described.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment, drive } from "./recipes.ts";

const provider = (name: string, args: Record<string, unknown>): Described => ({ kind: "provider", name, args });

describe("several Ironics in one stack (engine)", function () {
  this.timeout(300_000);
  let judge: LabObserver;
  let west: Lab;
  let dir: string;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
    dir = mkdtempSync(join(tmpdir(), "pulumi-ironic-west-"));
    west = await startLab({ dir, nodes: 8, owned: true, auth: "basic" });
  });
  after(async () => {
    if (dir === undefined) return;
    await openLab(dir)?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  afterEach(() => stack.remove());

  const login = (): { username: string; password: string } => {
    const { username, password } = parse(readFileSync(west.env.OS_CLIENT_CONFIG_FILE, "utf8")).clouds.lab.auth;
    return { username, password };
  };
  const toWest = (more: Record<string, unknown> = {}) => {
    const { username, password } = login();
    return provider("west", {
      endpoint: west.url,
      authType: "http_basic",
      username,
      password: { secret: password },
      ...more,
    });
  };
  const inWest = { provider: { ref: "provider:west" } };

  /** A deployment of the same name on nodes of the same name, one in each Ironic. */
  const program = (node: string, west: Described, kernelArguments = "one"): Described[] => [
    west,
    config("here", node),
    deployment("here", judge.lab, { kernelArguments }),
    config("there", node, {}, inWest),
    drive("there", { ref: "config:there.node" }, { metaData: { hostname: node } }),
    deployment("there", judge.lab, { kernelArguments }, inWest),
  ];

  /** What a preview is about to do, by resource type. */
  const steps = (output: string): string[] =>
    output.split("\n").flatMap((line) => /^\s*([+~-]+)\s+(\S+:\S+)/.exec(line)?.slice(1, 3).join(" ") ?? []);

  it("deploys to each, passwords being Outputs; a changed connection updates the provider and touches no machine", async () => {
    const node = await judge.take();
    const there = async () => west.node(node);
    stack = await Stack.init({ env: judge.lab.env });
    stack.resources = program(node, toWest());
    // The drive's MAC addresses are of the Ironic that its own provider knows.
    stack.resources = stack.resources.map((resource) =>
      resource.kind === "drive" ? { ...resource, options: inWest } : resource,
    );
    await stack.up();
    expect(await judge.node(node)).to.include({ provision_state: "active" });
    expect(await there()).to.include({ provision_state: "active" });
    expect((await judge.node(node)).instance_uuid).to.not.equal((await there()).instance_uuid);
    await stack.settled();
    await stack.refresh("--expect-no-changes");

    const again = (more: Record<string, unknown>) => [toWest(more), ...stack.resources.slice(1)];
    stack.resources = again({ endpoint: `${west.url}/v1/`, requestTimeoutSeconds: 30, concurrency: 4 });
    const planned = await stack.preview();
    expect(steps(planned)).to.deep.equal(["~ pulumi:providers:pulumi-nodejs"]);
    const wrote = (await there()).updated_at;
    await judge.untouched(node, () => stack.up());
    expect((await there()).updated_at).to.equal(wrote);

    const { password } = login();
    const text = stack.transcript + (await stack.export());
    expect(
      [password, Buffer.from(password).toString("base64")].filter((secret) => text.includes(secret)),
    ).to.deep.equal([]);
    await stack.destroy();
    for (const seen of [await judge.node(node), await there()])
      expect(seen).to.include({ provision_state: "available", instance_uuid: null, boot_interface: "fake" });
  });

  it("goes on after a rotated password: what the state holds is refused with advice, up takes the new one", async () => {
    const node = await judge.take();
    stack = await Stack.init();
    stack.resources = [toWest(), config("there", node, {}, inWest), deployment("there", judge.lab, {}, inWest)];
    await stack.up();
    const changedAt = (await west.node(node)).provision_updated_at;
    const file = join(dir, "htpasswd");
    const before = readFileSync(file, "utf8");
    const hash = execFileSync(
      west.python,
      ["-c", "import bcrypt; print(bcrypt.hashpw(b'r0tated-pw', bcrypt.gensalt(rounds=4)).decode())"],
      { encoding: "utf8" },
    );
    writeFileSync(file, `lab:${hash.trim().replace(/^\$2b\$/, "$2y$")}\n`);
    try {
      const refused = await stack.fails("refresh");
      expect(refused).to.match(/answered 401.*run `pulumi up`/s);
      stack.resources = [toWest({ password: { secret: "r0tated-pw" } }), ...stack.resources.slice(1)];
      await stack.up();
      await stack.refresh("--expect-no-changes");
      // As the refresh saw it: the lab's own account has the old password here.
      expect((await stack.stateOf("RamdiskDeployment", "there")).outputs.deployedAt).to.equal(changedAt);
      await stack.destroy();
    } finally {
      writeFileSync(file, before);
    }
    expect((await west.node(node)).provision_state).to.equal("available");
    expect(stack.transcript).to.not.include("r0tated-pw");
  });

  it("previews where a connection is not known yet", async () => {
    const node = await judge.take();
    stack = await Stack.init({ env: judge.lab.env });
    stack.write(
      "clouds.yaml",
      stringify({
        clouds: {
          ...parse(readFileSync(judge.lab.env.OS_CLIENT_CONFIG_FILE, "utf8")).clouds,
          [node]: parse(readFileSync(west.env.OS_CLIENT_CONFIG_FILE, "utf8")).clouds.lab,
        },
      }),
    );
    stack.env.OS_CLIENT_CONFIG_FILE = join(stack.folder, "clouds.yaml");
    stack.resources = [
      config("here", node),
      // Known only once the first resource is there.
      provider("west", { cloud: { ref: "config:here.nodeName" } }),
      config("there", node, {}, inWest),
      deployment("there", judge.lab, {}, inWest),
    ];
    const planned = await stack.preview();
    expect(planned).to.match(/\+ 6 to create/);
    await stack.up();
    expect(await west.node(node)).to.include({ provision_state: "active" });
    expect(await judge.node(node)).to.include({ provision_state: "available" });
    await stack.destroy();
    expect(await west.node(node)).to.include({ provision_state: "available", instance_uuid: null });
  });
});
