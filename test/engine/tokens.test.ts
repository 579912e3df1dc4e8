// Tokens of Keystone that end while a run goes on.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { LabObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment } from "./recipes.ts";
import { type ReverseProxy, startFront } from "./reverse-proxy.ts";

/** Shorter than one deployment, whose machine takes its time to switch. */
const LIFE_SECONDS = 15;
const SWITCH_SECONDS = 7;

describe("tokens that end in mid-run (engine)", function () {
  this.timeout(300_000);
  let judge: LabObserver;
  let keystone: ReverseProxy;
  let stack: Stack;
  before(async () => {
    judge = await LabObserver.start({
      nodes: 2,
      auth: "keystone",
      tokenLifeSeconds: LIFE_SECONDS,
      delays: { power: SWITCH_SECONDS },
    });
    keystone = await startFront(new URL(authUrl()).origin, {});
  });
  after(async () => {
    await keystone?.close();
    await judge?.stop();
  });
  afterEach(() => stack.remove());

  const cloudsText = () => readFileSync(judge.lab.env.OS_CLIENT_CONFIG_FILE, "utf8");
  const authUrl = (): string => parse(cloudsText()).clouds.lab.auth.auth_url;
  const logins = () => keystone.requests.filter((request) => request === "POST /v3/auth/tokens").length;

  it("are renewed, once for all who wait", async () => {
    const nodes = [await judge.take(), await judge.take()];
    stack = await Stack.init({ env: { OS_CLOUD: "lab" } });
    stack.write("clouds.yaml", cloudsText().replaceAll(new URL(authUrl()).origin, keystone.url));
    stack.env.OS_CLIENT_CONFIG_FILE = join(stack.folder, "clouds.yaml");
    stack.resources = nodes.flatMap((node) => [config(node, node), deployment(node, judge.lab)]);
    const startedAt = Date.now();
    const before = logins();
    await stack.up();
    const seconds = (Date.now() - startedAt) / 1000;
    const made = logins() - before;
    process.stdout.write(`      ${made} logins in ${seconds.toFixed(0)} s, a token living ${LIFE_SECONDS} s\n`);
    expect(seconds).to.be.greaterThan(LIFE_SECONDS);
    expect(made).to.be.within(2, Math.ceil(seconds / (LIFE_SECONDS * 0.9)));
    await stack.destroy();
    for (const node of nodes) expect(await judge.deploys(node)).to.equal(1);
  });

  it("end the run where they cannot be renewed; with a new one it goes on with the same deployment", async () => {
    const node = await judge.take();
    const newToken = (): string =>
      execFileSync(judge.lab.python, ["-c", "import openstack; print(openstack.connect().auth_token)"], {
        env: { ...process.env, ...judge.lab.env },
        encoding: "utf8",
      }).trim();
    stack = await Stack.init();
    const use = async (token: string) => {
      await stack.ok("config", "set", "--secret", "ironic:token", token);
      stack.config({ "ironic:endpoint": judge.lab.url, "ironic:authType": "admin_token" });
    };
    const tokens = [newToken()];
    await use(tokens[0] ?? "");
    stack.resources = [config("w", node), deployment("w", judge.lab)];
    const said = await stack.fails("up");
    process.stdout.write(
      `      ${said
        .split("\n")
        .find((line) => line.includes("answered 401"))
        ?.trim()}\n`,
    );
    expect(said).to.match(/answered 401[^\n]*token has expired or was revoked/);
    expect((await stack.stateOf("RamdiskDeployment", "w")).initErrors).to.have.length(1);
    await judge.until(node, "active", 60_000);
    tokens.push(newToken());
    await use(tokens[1] ?? "");
    await stack.up();
    expect(await judge.deploys(node)).to.equal(1);
    // A destroy logs in with what the last update stored, unless it runs the program.
    expect(await stack.fails("destroy")).to.match(/answered 401/);
    tokens.push(newToken());
    await use(tokens[2] ?? "");
    await stack.start("destroy", "--run-program").done;
    await judge.until(node, "available", 60_000);
    tokens.push(newToken());
    await use(tokens[3] ?? "");
    await stack.destroy("--run-program");
    expect(await judge.node(node)).to.include({ instance_uuid: null, boot_interface: "fake" });
    const text = stack.transcript + (await stack.export());
    expect(tokens.filter((token) => text.includes(token))).to.deep.equal([]);
  });
});
