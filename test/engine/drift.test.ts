import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { type LabObserver, resetAfterFailure, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment } from "./recipes.ts";

const kinds = ["arguments", "undeployed", "unmarked", "unclaimed", "taken", "restarted"] as const;

describe("drift (engine)", () => {
  resetAfterFailure("plain");

  it("is shown by refresh, repaired where it is ours and refused where it is not", async () => {
    const judge: LabObserver = await sharedObserver("plain");
    const nodes = {} as Record<(typeof kinds)[number], string>;
    for (const kind of kinds) nodes[kind] = await judge.take();
    const before = Object.fromEntries(
      await Promise.all(kinds.map(async (kind) => [kind, await judge.settings(nodes[kind])])),
    );
    const stack = await Stack.init({ env: judge.lab.env });
    stack.resources = kinds.flatMap((kind) => [
      config(kind, nodes[kind]),
      deployment(kind, judge.lab, {
        kernelArguments: "ours",
        ...(kind === "restarted" && { configDrive: { meta_data: { name: "ours" } } }),
      }),
    ]);
    await stack.up();
    const ours = (await judge.node(nodes.unclaimed)).instance_uuid;
    const theirs = randomUUID();

    // With Ironic's own client, where it can.
    await judge.baremetal("node", "set", nodes.arguments, "--instance-info", "ramdisk_kernel_arguments=drifted");
    await judge.baremetal("node", "undeploy", nodes.undeployed);
    await judge.patch(nodes.unmarked, { op: "remove", path: "/extra/pulumi_ironic_deployment" });
    await judge.patch(nodes.unclaimed, { op: "remove", path: "/instance_uuid" });
    await judge.patch(nodes.taken, { op: "remove", path: "/instance_uuid" });
    await judge.patch(nodes.taken, { op: "add", path: "/instance_uuid", value: theirs });
    await judge.patch(nodes.taken, { op: "remove", path: "/extra/pulumi_ironic_deployment" });
    await judge.until(nodes.undeployed, "available");
    // Ironic 39.0 cannot rebuild without it.
    const source = `image_source=${judge.lab.images.ramdisk}`;
    await judge.baremetal("node", "set", nodes.restarted, "--instance-info", source);
    await judge.baremetal("node", "rebuild", nodes.restarted, "--config-drive", '{"meta_data": {"name": "theirs"}}');
    const since = (await judge.until(nodes.restarted, "active")).provision_updated_at;

    const shown = await stack.preview("--refresh", "--diff");
    expect(shown).to.match(/kernelArguments\s*: "drifted" => "ours"/);
    expect(shown).to.match(/drift\s*: "undeployed \[drift-undeployed\]"/);
    expect(shown).to.match(/provisionState\s*: "active" => "available"/);
    expect(shown).to.match(/drift\s*: "the marker in extra was removed \[drift-claim-removed\]"/);
    expect(shown).to.match(/drift\s*: "instance_uuid was removed \[drift-claim-removed\]"/);
    expect(shown).to.match(new RegExp(`drift\\s*: "held by instance ${theirs} \\[node-held\\]"`));
    const told =
      /warning: Node [^\n]* was deployed again, but not by this stack\. [^\n]* whether its config drive is still/;
    expect(shown).to.match(told);

    const running = await judge.node(nodes.unmarked);
    await judge.untouched(nodes.unclaimed, () =>
      judge.untouched(nodes.taken, async () => {
        const output = await stack.fails("up", "--refresh", "--continue-on-error");
        expect(output).to.match(
          /\(unclaimed\):\s+error: Node [^\n]* is "active", but has no instance_uuid, so it is not known whose/,
        );
        expect(output).to.match(/\(taken\):\s+error: Node [^\n]* is held by instance /);
        expect(output).to.match(told);
      }),
    );
    expect((await judge.node(nodes.arguments)).instance_info.ramdisk_kernel_arguments).to.equal("ours");
    expect(judge.moves(nodes.arguments)).to.deep.equal(["deploying", "active", "deploying", "active"]);
    expect((await judge.node(nodes.undeployed)).provision_state).to.equal("active");
    expect(await judge.deploys(nodes.undeployed)).to.equal(2);
    expect((await judge.node(nodes.restarted)).provision_updated_at).to.equal(since);
    expect(judge.moves(nodes.restarted)).to.deep.equal(["deploying", "active", "deploying", "active"]);
    const remarked = await judge.node(nodes.unmarked);
    expect(remarked.extra.pulumi_ironic_deployment.instanceUuid).to.equal(running.instance_uuid);
    expect(remarked.provision_updated_at).to.equal(running.provision_updated_at);

    await judge.untouched(nodes.unclaimed, () =>
      judge.untouched(nodes.taken, async () => {
        const output = await stack.fails("destroy", "--continue-on-error");
        expect(output).to.match(
          /\(unclaimed\):\s+error: Node [^\n]*its instance_uuid was removed[^\n]*Nothing was written/,
        );
        expect(output).to.match(/warning: Node [^\n]* is held by instance [^\n]*What this stack had there is gone/);
      }),
    );
    for (const kind of ["arguments", "undeployed", "unmarked", "restarted"] as const)
      expect(await judge.settings(nodes[kind]), kind).to.deep.equal(before[kind]);
    await judge.patch(nodes.unclaimed, { op: "add", path: "/instance_uuid", value: ours });
    await judge.provision(nodes.taken, "deleted");
    await judge.until(nodes.taken, "available");
    await stack.destroy();
    for (const kind of kinds) expect(await judge.settings(nodes[kind]), kind).to.deep.equal(before[kind]);
    stack.remove();
  });
});
