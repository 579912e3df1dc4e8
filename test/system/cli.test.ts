// The command `pulumi-ironic claims` and `import`, as a process of its own in front of an Ironic on the loopback interface.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { newNode } from "../fakes/fake-node.ts";
import { fault, type Loopback, loopback } from "../fakes/http-server.ts";
import { deploymentMarkBy } from "../fakes/identities.ts";
import { BEFORE, INFO, OTHER_INSTANCE } from "../fakes/nodes.ts";

const CLI = fileURLToPath(new URL("../../provider/cli.ts", import.meta.url));
const PASSWORD = "hunter2hunter2";

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

const run = (args: readonly string[], input = ""): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], { env: { HOME: "/nonexistent" } });
    const ended: Ended = { status: null, stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      ended.stdout += chunk;
    });
    child.stderr.on("data", (chunk: Buffer) => {
      ended.stderr += chunk;
    });
    child.once("error", reject);
    child.once("close", (status) => resolve({ ...ended, status }));
    child.stdin.end(input);
  });

const marker = (name: string) => ({
  ...deploymentMarkBy("stack-1", name),
  instanceUuid: `${name}-instance`,
  preparedAt: BEFORE,
});
const claimed = (index: number, name: string): Node =>
  newNode(index, BEFORE, {
    provision_state: "active",
    instance_uuid: `${name}-instance`,
    extra: { [DEPLOYMENT_MARKER]: marker(name) },
  });
const ADOPTED = { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: OTHER_INSTANCE, preparedAt: "adopted" };
const DYNAMIC = "pulumi-nodejs:dynamic/ironic:";
/** What `pulumi stack export` prints of a stack that knows the deployment `known`. */
const STATE = JSON.stringify({
  deployment: {
    resources: [
      { type: `${DYNAMIC}StackIdentity`, urn: "urn:pulumi:dev::shop::x::y", outputs: { stackId: "stack-1" } },
      { type: `${DYNAMIC}RamdiskDeployment`, id: "1", outputs: { instanceUuid: "known-instance" } },
    ],
  },
});

describe("the command pulumi-ironic with an Ironic", function () {
  this.timeout(30_000);
  let ironic: Loopback;
  let nodes: Node[];
  let folder: string;
  let state: string;
  const connected = (): string[] => {
    const file = join(folder, "config.yaml");
    writeFileSync(file, `ironic:password: ${PASSWORD}\n`, { mode: 0o600 });
    const settings = [`ironic:endpoint=${ironic.url}`, "ironic:username=admin"];
    return [...settings.flatMap((setting) => ["--config", setting]), "--config-file", file];
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "cli-"));
    state = join(folder, "state.json");
    writeFileSync(state, STATE);
    ironic = await loopback(({ url = "", method }, response) => {
      const { pathname } = new URL(url, "http://x");
      const [, , kind, ident] = pathname.split("/");
      response.setHeader("content-type", "application/json");
      if (kind === "allocations") return response.end(JSON.stringify({ allocations: [] }));
      if (kind === "nodes" && ident === undefined) return response.end(JSON.stringify({ nodes }));
      const node = nodes.find(({ uuid, name }) => ident === uuid || ident === name);
      // The PATCH of an import writes the marker.
      if (node && method === "PATCH") node.extra = { [DEPLOYMENT_MARKER]: ADOPTED };
      if (node) return response.end(JSON.stringify(node));
      response.statusCode = 404;
      // A server that repeats what it was sent.
      return response.end(fault(`Node ${ident} could not be found. Authorization was ${PASSWORD}.`));
    });
  });
  beforeEach(() => {
    nodes = [claimed(1, "known"), claimed(2, "lost"), newNode(3, BEFORE, {})];
    ironic.seen.length = 0;
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await ironic.close();
  });
  const writes = (): string[] => ironic.seen.filter((asked) => !asked.startsWith("GET "));

  it("prints the claims of all stacks as a table, each with its node", async () => {
    const { status, stdout } = await run(["claims", ...connected()]);
    expect(status).to.equal(0);
    const [head = "", ...rows] = stdout.trimEnd().split("\n");
    expect(rows).to.have.length(2);
    for (const [index, words] of [
      ["worker-1", "known", "active", "known-instance", "stack-1"],
      ["worker-2", "lost", "active", "lost-instance", "stack-1"],
    ].entries())
      expect(rows[index]?.split(/\s{2,}/)).to.include.members(words);
    expect(rows[0]?.indexOf("worker-1")).to.equal(head.indexOf("NODE"));
    expect(writes()).to.deep.equal([]);
  });

  it("prints them as JSON with what the state knows, which may come from standard input", async () => {
    const { status, stdout } = await run(["claims", "--json", "--state", "-", ...connected()], STATE);
    expect(status).to.equal(0);
    const found = JSON.parse(stdout) as { resourceName: string; known: boolean; nodeUuid: string }[];
    expect(found.map(({ resourceName, known }) => ({ resourceName, known }))).to.deep.equal([
      { resourceName: "known", known: true },
      { resourceName: "lost", known: false },
    ]);
    expect(found.map(({ nodeUuid }) => nodeUuid)).to.deep.equal(nodes.slice(0, 2).map(({ uuid }) => uuid));
  });

  it("lists those of one stack only where one is named", async () => {
    const { stdout } = await run(["claims", "--json", "--stack-id", "stack-9", ...connected()]);
    expect(JSON.parse(stdout)).to.deep.equal([]);
  });

  it("shows where one stack id stands under several stack names, and releases only under the one that is named", async () => {
    for (const [index, stackName] of ["dev", "prod"].entries())
      Object.assign(nodes[index]?.extra[DEPLOYMENT_MARKER] as object, { stackName });
    const listed = await run(["claims", "--stack-id", "stack-1", ...connected()]);
    expect(listed).to.include({ status: 0 });
    expect(listed.stdout).to.match(/dev \(stack-1\)(.|\n)*prod \(stack-1\)/);
    expect(listed.stderr).to.match(/^warning: stack id stack-1 .* names dev and prod\. .*\[stack-id-shared\]\n$/);
    for (const which of [
      ["--state", state],
      ["--stack-id", "stack-1", "--no-state"],
    ]) {
      const { status, stderr } = await run(["claims", "--release", ...which, ...connected()]);
      expect(status).to.equal(2);
      expect(stderr).to.match(/--stack-name NAME\. \[cli-scope-unclear\]\n$/);
    }
    const named = await run(["claims", "--json", "--stack-id", "stack-1", "--stack-name", "prod", ...connected()]);
    expect(JSON.parse(named.stdout)).to.have.length(1);
    expect(writes()).to.deep.equal([]);
  });

  it("never prints a secret of the connection, also where the server repeats it", async () => {
    const args = ["import", "worker", "--node", "gone", "--instance", "unclaimed", "--stack-id", "stack-1"];
    const { status, stdout, stderr } = await run([...args, "--boot-iso", "http://images/iso", ...connected()]);
    expect(status).to.equal(2);
    expect(stderr).to.contain("gone");
    expect(stdout + stderr).not.to.contain(PASSWORD);
    expect(writes()).to.deep.equal([]);
  });

  it("prints the file for pulumi import, and writes the claim on the node only", async () => {
    nodes = [
      newNode(1, BEFORE, { provision_state: "active", instance_uuid: OTHER_INSTANCE, instance_info: { ...INFO } }),
    ];
    const { status, stdout, stderr } = await run([
      ...["import", "worker", "--node", "worker-1", "--instance", OTHER_INSTANCE, "--state", state],
      ...["--kernel", INFO.kernel, "--ramdisk", INFO.ramdisk, ...connected()],
    ]);
    expect(status, stderr).to.equal(0);
    const [resource, ...more] = JSON.parse(stdout).resources;
    expect(more).to.deep.equal([]);
    expect(resource).to.deep.include({ type: `${DYNAMIC}RamdiskDeployment`, name: "worker" });
    expect(resource.inputs).to.include({ node: "worker-1", stackId: "stack-1", stackName: "dev", ...INFO });
    expect(resource.outputs).to.include({ instanceUuid: OTHER_INSTANCE, nodeUuid: nodes[0]?.uuid, adopted: true });
    expect(writes()).to.deep.equal([`PATCH /v1/nodes/${nodes[0]?.uuid}`]);
  });

  it("leaves what only a mark says to be the stack's, and names the way; a node that has nothing is a typing error", async () => {
    const all = ["claims", "--release", "--no-state", "--stack-id", "stack-1"];
    const { status, stderr } = await run([...all, ...connected()]);
    expect(status).to.equal(1);
    for (const node of ["worker-1", "worker-2"]) expect(stderr).to.contain(`--node ${node}`);
    const mistyped = await run([...all, "--node", "worker-9", ...connected()]);
    expect(mistyped.status).to.equal(2);
    expect(mistyped.stderr).to.match(/nothing to release on node worker-9.*\[cli-usage\]/);
    expect(writes()).to.deep.equal([]);
  });

  it("prints what is foreign without the characters that steer a terminal", async () => {
    nodes = [claimed(1, "a\u001b[2Jb\u009b1m\u202e\u007f\nc")];
    const listed = await run(["claims", ...connected()]);
    expect(listed.stdout).to.contain("a\\u001b[2Jb\\u009b1m\\u202e\\u007f\\u000ac");
    expect(listed.stdout.trimEnd().split("\n")).to.have.length(2);
    const json = await run(["claims", "--json", ...connected()]);
    expect(JSON.parse(json.stdout)[0].resourceName).to.equal("a\u001b[2Jb\u009b1m\u202e\u007f\nc");
    const kept = await run(["claims", "--release", "--no-state", "--stack-id", "stack-1", ...connected()]);
    for (const { stdout, stderr } of [listed, json, kept])
      expect(stdout + stderr).not.to.match(/[\p{Bidi_Control}]|(?!\n)\p{Cc}/u);
  });

  const REFUSED: readonly [what: string, args: () => string[]][] = [
    ["a release without a state", () => ["claims", "--release", "--stack-id", "stack-1"]],
    ["a stack that is not the state's", () => ["claims", "--state", state, "--stack-id", "stack-9"]],
    ["a node without a release", () => ["claims", "--node", "worker-1"]],
    ["a state that is none", () => ["claims", "--state", CLI]],
    ["an unknown option", () => ["claims", "--relase"]],
    [
      "an import that does not say what is booted",
      () => ["import", "worker", "--node", "worker-1", "--instance", "unclaimed", "--stack-id", "stack-1"],
    ],
  ];
  for (const [what, args] of REFUSED) {
    it(`refuses ${what}, prints nothing and asks nobody`, async () => {
      const { status, stdout, stderr } = await run([...args(), ...connected()]);
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: "" });
      expect(stderr).not.to.equal("");
      expect(stderr).not.to.contain("\n    at ");
      expect(ironic.seen).to.deep.equal([]);
    });
  }

  it("shows how it is used: on demand, and where no command is given", async () => {
    const [asked, bare] = await Promise.all([run(["--help"]), run([])]);
    expect([asked.status, bare.status]).to.deep.equal([0, 2]);
    for (const option of ["--state", "--stack-id", "--release", "--no-state", "--json", "--node", "--instance"])
      expect(asked.stdout).to.contain(option);
    expect(bare.stdout).to.equal(asked.stdout);
  });
});
