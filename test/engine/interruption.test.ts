import { type ChildProcess, execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import { root, Stack } from "./pulumi-stack.ts";
import { config, deployment } from "./recipes.ts";
import { type ReverseProxy, startFront } from "./reverse-proxy.ts";

async function untilGone(stack: Stack): Promise<void> {
  for (const end = Date.now() + 10_000; stack.providers().length > 0; await sleep(100))
    if (Date.now() > end) throw new Error("a provider whose engine is dead goes on living");
}

describe("interruptions (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async function () {
    if (process.platform !== "linux") {
      process.stdout.write("      skipped: finding processes needs /proc\n");
      this.skip();
    }
    judge = await sharedObserver("slow");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(() => stack.remove());

  const begin = async () => {
    const node = await judge.take();
    const before = await judge.settings(node);
    stack.resources = [config("w", node), deployment("w", judge.lab)];
    return { node, before };
  };
  const finish = async (node: string, before: Record<string, unknown>) => {
    await stack.up();
    expect((await judge.node(node)).provision_state).to.equal("active");
    expect(await judge.deploys(node)).to.equal(1);
    await stack.settled();
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(before);
  };

  it("by a time-out end the wait only: the next up goes on with the same deploy", async () => {
    const { node, before } = await begin();
    stack.resources = [config("w", node), deployment("w", judge.lab, { timeoutSeconds: 1 })];
    expect(await stack.fails("up")).to.match(
      /Node [^\n]* is still "[^\n]*" after 1 s[^\n]*The timeout stopped Pulumi waiting[^\n]* \[wait-timeout\]/,
    );
    expect((await stack.stateOf("RamdiskDeployment", "w")).outputs.provisionState).to.equal("deploying");
    stack.resources = [config("w", node), deployment("w", judge.lab)];
    await finish(node, before);
  });

  it("by Ctrl-C keep the half-done deployment, at once", async () => {
    const { node, before } = await begin();
    const going = stack.start("up");
    await judge.until(node, "deploying");
    const at = Date.now();
    going.child.kill("SIGINT");
    const { output } = await going.done;
    process.stdout.write(`      the engine ended ${Date.now() - at} ms after SIGINT\n`);
    expect(Date.now() - at).to.be.lessThan(5_000);
    expect(output).to.match(/The run was interrupted while node [^\n]* was "(available|deploying)"/);
    expect((await stack.stateOf("RamdiskDeployment", "w")).outputs.instanceUuid).to.be.a("string");
    await finish(node, before);
  });

  it("by kill -9 of the engine end the provider too, and the next up goes on", async () => {
    const { node, before } = await begin();
    const going = stack.start("up");
    await judge.until(node, "deploying");
    going.child.kill("SIGKILL");
    await going.done;
    await untilGone(stack);
    await stack.ok("cancel", "--yes");
    await finish(node, before);
  });

  it("by kill -9 of the provider are gone on with", async () => {
    const { node, before } = await begin();
    const going = stack.start("up");
    await judge.until(node, "deploying");
    for (const pid of stack.providers()) process.kill(pid, "SIGKILL");
    expect((await going.done).code).to.not.equal(0);
    await finish(node, before);
  });

  describe("by kill -9 at the reboot of an update", () => {
    let front: ReverseProxy;
    afterEach(() => front.close());

    /** Before Ironic hears of the reboot, or when it is under way. */
    const killed = async (begun: boolean) => {
      let engine: ChildProcess | undefined;
      front = await startFront(judge.lab.url, {
        before(method, path) {
          if (begun || !engine || method !== "PUT" || !path.endsWith("/states/provision")) return undefined;
          engine.kill("SIGKILL");
          return { status: 503, headers: {}, body: "{}" };
        },
      });
      stack.config({ "ironic:endpoint": front.url });
      const { node, before } = await begin();
      await stack.up();
      const old = stack.resources;
      stack.resources = [config("w", node), deployment("w", judge.lab, { kernelArguments: "quiet" })];
      const going = stack.start("up");
      engine = going.child;
      if (begun) {
        await judge.until(node, "deploying");
        engine.kill("SIGKILL");
      }
      await going.done;
      engine = undefined;
      await untilGone(stack);
      await stack.ok("cancel", "--yes");
      await judge.until(node, "active");
      expect(await judge.deploys(node)).to.equal(begun ? 2 : 1);
      expect((await judge.node(node)).instance_info).to.include({ ramdisk_kernel_arguments: "quiet" });
      return { node, before, old };
    };
    const end = async (node: string, before: Record<string, unknown>) => {
      await stack.settled();
      await stack.refresh("--expect-no-changes");
      await stack.destroy();
      expect(await judge.settings(node)).to.deep.equal(before);
    };

    for (const refreshes of [false, true])
      for (const begun of [false, true])
        it(`the next up ${begun ? "does not repeat it" : "makes up for it"}, though the machine was rescued since${refreshes ? " and the state refreshed" : ""}`, async () => {
          const { node, before } = await killed(begun);
          await judge.provision(node, "rescue", { rescue_password: "planted-rescue" });
          await judge.until(node, "rescue");
          await judge.provision(node, "unrescue");
          await judge.until(node, "active");
          if (refreshes) await stack.refresh();
          await stack.up();
          expect(await judge.deploys(node)).to.equal(2);
          await end(node, before);
        });

    it("going back to what the machine still runs needs no reboot", async () => {
      const { node, before, old } = await killed(false);
      stack.resources = old;
      await stack.refresh();
      await stack.up();
      expect(await judge.deploys(node)).to.equal(1);
      expect((await judge.node(node)).instance_info).to.not.have.property("ramdisk_kernel_arguments");
      await end(node, before);
    });
  });

  it("by kill -9 and then destroy leave a claim that `pulumi-ironic claims` lists and releases", async () => {
    const { node, before } = await begin();
    const going = stack.start("up");
    await judge.until(node, "deploying");
    going.child.kill("SIGKILL");
    await going.done;
    await untilGone(stack);
    await stack.ok("cancel", "--yes");
    const stackId = (await stack.stateOf("StackIdentity", "pulumi-ironic-identity")).id ?? "";
    const settingsGone = stack.start("destroy");
    // The settings' delete waits for a deployment that nobody is ending.
    await Promise.race([settingsGone.done, sleep(8_000)]);
    settingsGone.child.kill("SIGINT");
    await settingsGone.done;
    const file = join(stack.folder, "state.json");
    writeFileSync(file, await stack.export());
    const cli = (...args: string[]) =>
      execFileSync(
        process.execPath,
        [join(root, "provider/cli.ts"), "claims", "--stack-id", stackId, "--state", file, ...args],
        {
          env: { ...process.env, ...judge.lab.env },
          encoding: "utf8",
          timeout: 60_000,
        },
      );
    await judge.until(node, "active");
    expect(cli()).to.match(new RegExp(`deployment +${node} +w +active .* no`));
    cli("--release");
    expect((await judge.node(node)).provision_state).to.equal("available");
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(before);
    expect(cli()).to.equal("No claims.\n");
  });

  it("by a conductor that dies in the middle show the cause and are healed by the next up", async () => {
    const { node, before } = await begin();
    const going = stack.start("up");
    await judge.until(node, "deploying");
    await judge.lab.killConductor();
    await judge.lab.startConductor();
    const { code, output } = await going.done;
    expect(code, output).to.not.equal(0);
    expect(output).to.match(/The deployment of node [^\n]* failed: [^\n]*conductor/i);
    await stack.up();
    expect((await judge.node(node)).provision_state).to.equal("active");
    // Its node history lost the start that died with the conductor; the conductor's log has both.
    expect(judge.moves(node)).to.deep.equal(["deploying", "deploy failed", "deploying", "active"]);
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(before);
  });
});
