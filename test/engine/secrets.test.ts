import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment, drive } from "./recipes.ts";
import { type FrontAnswer, startFront } from "./reverse-proxy.ts";

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());

const html = { headers: { "content-type": "text/html" } };
const json = (status: number, body: unknown): FrontAnswer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

describe("secrets (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(() => stack.remove());

  it("in kernel arguments, which Ironic hides, are deployed once, are no drift, and update", async () => {
    const node = await judge.take();
    const withToken = (token: string) =>
      deployment("hidden", judge.lab, { kernelArguments: `console=ttyS0 k3s.token=${token} quiet` });
    stack.resources = [config("hidden", node), withToken("planted-one")];
    await stack.up();
    const shown = String((await judge.node(node)).instance_info.ramdisk_kernel_arguments);
    expect(shown, "Ironic hides it").to.contain("***").and.not.to.contain("planted-one");
    await stack.ok("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes");
    expect(await judge.deploys(node)).to.equal(1);
    stack.resources = [config("hidden", node), withToken("planted-two")];
    await stack.up();
    expect(judge.moves(node)).to.deep.equal(["deploying", "active", "deploying", "active"]);
    await stack.ok("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes");
    await stack.destroy();
  });

  it("of drives stand nowhere in plain text: not in state, backend, history, output, differences or failures", async () => {
    const node = await judge.take();
    const planted = ["pl4nted-user-data", "pl4nted-vendor-data", "pl4nted-meta-data", "pl4nted-raw-drive"];
    const describeAll = (turn: string, kernel = judge.lab.images.kernel) => {
      stack.resources = [
        config("w", node),
        drive(
          "w",
          { ref: "config:w.node" },
          {
            metaData: { hostname: "w", token: { secret: `${planted[2]}-${turn}` } },
            userData: `#cloud-config\npassword: ${planted[0]}-${turn}\n`,
            vendorData: { "cloud-init": `#cloud-config\npassword: ${planted[1]}-${turn}\n` },
          },
        ),
        deployment("w", judge.lab, { configDrive: { ref: "drive:w.content" }, kernel }),
      ];
    };
    describeAll("one");
    await stack.preview("--diff");
    await stack.up();
    describeAll("two");
    await stack.preview("--diff");
    await stack.up("--diff");
    await stack.refresh("--diff");
    describeAll("three", `${judge.lab.images.url}/status/404/kernel`);
    await stack.fails("up", "--diff");
    const wrong = { node: { ref: "config:w.node" }, configDrive: { meta_data: {}, strange: planted[3] } };
    stack.resources = [...stack.resources.slice(0, 2), deployment("w", judge.lab, wrong)];
    await stack.fails("up");
    const texts = [
      stack.transcript,
      await stack.export(),
      ...filesBelow(stack.state).map((path) => readFileSync(path, "latin1")),
    ];
    const hits = planted.filter((secret) => texts.some((text) => text.includes(secret)));
    expect(texts.length).to.be.greaterThan(3);
    expect(hits).to.deep.equal([]);
    // The same search finds what is no secret: it can fail.
    expect(texts.some((text) => text.includes(judge.lab.images.ramdisk))).to.equal(true);
    await stack.destroy();
  });

  /** Servers, proxies and their error pages repeat what they were sent; nothing of it may reach the user's screen. */
  const echoes: { title: string; answer(text: string): FrontAnswer }[] = [
    {
      title: "an error of Ironic's",
      answer: (text) => json(400, { error_message: { faultstring: `strange: ${text}` } }),
    },
    { title: "an error page", answer: (text) => ({ ...html, status: 500, body: `<html><pre>${text}</pre></html>` }) },
    { title: "a refused login", answer: (text) => json(401, { error_message: text }) },
    { title: "a text instead of JSON", answer: (text) => ({ ...html, status: 200, body: text }) },
    { title: "JSON of another form", answer: (text) => json(200, [{ [text]: text }]) },
    {
      title: "a node of another form",
      answer: (text) => json(200, { uuid: { [text]: text }, name: text, extra: text }),
    },
    {
      title: "a redirect",
      answer: (text) => ({
        status: 302,
        headers: { location: `http://127.0.0.1:9/${encodeURIComponent(text)}` },
        body: "",
      }),
    },
  ];

  it("of the connection and of drives stand nowhere, whatever a server repeats of them", async () => {
    const password = "pl4nted-p4ssword:with/colon";
    const planted = [password, "pl4nted-echo-drive", "pl4nted-echo-user"];
    const forms = planted.flatMap((text) => [text, Buffer.from(text).toString("base64")]);
    forms.push(Buffer.from(`lab-user:${password}`).toString("base64"));
    const { kernel, ramdisk } = judge.lab.images;
    for (const { title, answer } of echoes) {
      const front = await startFront(judge.lab.url, {
        before: (_method, path, headers, body) => {
          const proof = Buffer.from(String(headers.authorization ?? "").slice(6), "base64").toString();
          // The first question is answered as it should be, so that the next ones come.
          return path === "/v1" ? undefined : answer(`${JSON.stringify(headers)} ${proof} ${body}`);
        },
      });
      const own = await Stack.init();
      try {
        own.config({ "ironic:endpoint": front.url, "ironic:authType": "http_basic", "ironic:username": "lab-user" });
        await own.ok("config", "set", "--secret", "ironic:password", password);
        own.resources = [
          config("w", "node-0"),
          drive("w", "node-0", { userData: planted[2] }),
          {
            kind: "deployment",
            name: "w",
            args: { node: "node-0", kernel, ramdisk, configDrive: { meta_data: {}, user_data: planted[1] } },
          },
        ];
        own.config({ "ironic:preflight": "warn" });
        await own.preview("--diff");
        const said = await own.fails("up", "--diff");
        expect(said, title).to.match(/error: /);
        const texts = [
          own.transcript,
          await own.export(),
          ...filesBelow(own.state).map((path) => readFileSync(path, "latin1")),
        ];
        expect(
          forms.filter((secret) => texts.some((text) => text.includes(secret))),
          title,
        ).to.deep.equal([]);
        expect(front.requests.length, title).to.be.greaterThan(1);
      } finally {
        own.remove();
        await front.close();
      }
    }
  });

  it("of the connection stand neither in the engine's verbose log nor in what a crash leaves", async function () {
    if (process.platform !== "linux") {
      process.stdout.write("      skipped: finding processes needs /proc\n");
      this.skip();
    }
    const node = await judge.take();
    const password = "pl4nted-in-clouds";
    const proof = Buffer.from(`lab-user:${password}`).toString("base64");
    const auth = { endpoint: judge.lab.url, username: "lab-user", password };
    stack.write("clouds.yaml", stringify({ clouds: { own: { auth_type: "http_basic", auth } } }));
    stack.env.OS_CLIENT_CONFIG_FILE = join(stack.folder, "clouds.yaml");
    stack.env.OS_CLOUD = "own";
    stack.resources = [config("w", node), deployment("w", judge.lab)];
    await stack.up("--logtostderr", "--logflow", "-v=11");
    expect(stack.transcript.length).to.be.greaterThan(100_000);
    // Node.js is asked to say as much as it can when it dies.
    stack.env.NODE_OPTIONS = `--report-uncaught-exception --report-on-fatalerror --report-directory=${stack.folder}`;
    stack.resources = [
      config("w", node),
      deployment("w", judge.lab, { readiness: { tcp: "127.0.0.1:9", timeoutSeconds: 60 } }),
    ];
    for (const signal of ["SIGABRT", "SIGSEGV"] as const) {
      const going = stack.start("up");
      await going.said(/waiting until .*127\.0\.0\.1:9/);
      const pids = stack.providers();
      expect(pids).to.have.length.greaterThan(0);
      for (const pid of pids) kill(pid, signal);
      const { code, output } = await going.done;
      expect(code, output).to.not.equal(0);
    }
    delete stack.env.NODE_OPTIONS;
    const reports = filesBelow(stack.folder).filter((path) => /report\./.test(path));
    const texts = [stack.transcript, ...reports.map((path) => readFileSync(path, "latin1"))];
    expect([password, proof].filter((secret) => texts.some((text) => text.includes(secret)))).to.deep.equal([]);
    stack.resources = [config("w", node), deployment("w", judge.lab)];
    await stack.up();
    await stack.destroy();
  });

  it("state of a deployment is small", async () => {
    const node = await judge.take();
    stack.resources = [
      config("w", node),
      drive(
        "w",
        { ref: "config:w.node" },
        {
          metaData: { hostname: "w" },
          network: { interfaces: [{ addresses: ["192.0.2.10/24"], gateway: "192.0.2.1" }] },
        },
      ),
      deployment("w", judge.lab, { configDrive: { ref: "drive:w.content" } }),
    ];
    await stack.up();
    const bytes = JSON.stringify(await stack.stateOf("RamdiskDeployment", "w")).length;
    process.stdout.write(`      state of one RamdiskDeployment with its drive: ${bytes} bytes\n`);
    expect(bytes).to.be.lessThan(8_000);
    await stack.destroy();
  });
});
