import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { type Judge, sharedJudge } from "./judge.ts";
import { deployment } from "./recipes.ts";
import { Stack } from "./stack.ts";

/** What somebody else deployed: its instance_uuid, or none. */
async function deployByHand(judge: Judge, node: string, instanceUuid?: string): Promise<void> {
  await judge.patch(
    node,
    { op: "replace", path: "/boot_interface", value: "ipxe" },
    { op: "replace", path: "/deploy_interface", value: "ramdisk" },
    { op: "replace", path: "/automated_clean", value: false },
    { op: "add", path: "/instance_info/kernel", value: judge.lab.images.kernel },
    { op: "add", path: "/instance_info/ramdisk", value: judge.lab.images.ramdisk },
    ...(instanceUuid ? [{ op: "add" as const, path: "/instance_uuid", value: instanceUuid }] : []),
  );
  await judge.provision(node, "active");
  await judge.until(node, "active");
}

async function tidy(judge: Judge, node: string): Promise<void> {
  await judge.provision(node, "deleted");
  await judge.until(node, "available");
  await judge.patch(
    node,
    { op: "replace", path: "/boot_interface", value: "fake" },
    { op: "replace", path: "/deploy_interface", value: "direct" },
    { op: "replace", path: "/automated_clean", value: null },
  );
}

describe("adopt (engine)", () => {
  it("takes a running deployment by its claim alone, refuses what does not match, and keeps it on destroy", async () => {
    const judge = await sharedJudge("plain");
    const [held, free] = [await judge.take(), await judge.take()];
    const theirs = randomUUID();
    await deployByHand(judge, held, theirs);
    await deployByHand(judge, free);
    const stack = await Stack.init({ env: judge.lab.env });
    const adopting = (args: Record<string, unknown>) => [
      deployment("held", judge.lab, { node: held, adopt: theirs, ...args }),
      deployment("free", judge.lab, { node: free, adopt: "unclaimed", ...args }),
    ];
    const wrong = async (args: Record<string, unknown>, reasons: RegExp[]) => {
      stack.resources = adopting(args);
      await judge.untouched(held, () =>
        judge.untouched(free, async () => {
          const output = await stack.fails("up", "--continue-on-error");
          for (const reason of reasons) expect(output).to.match(reason);
        }),
      );
      expect(await stack.find("RamdiskDeployment", "held")).to.equal(undefined);
    };
    await wrong({ adopt: randomUUID() }, [
      new RegExp(`cannot be adopted: it is held by instance ${theirs}`),
      /cannot be adopted: its instance_uuid is unset, expected /,
    ]);
    await wrong({ kernelArguments: "quiet" }, [
      /\(held\):\s+error: [^\n]*cannot be adopted: instance_info differs in ramdisk_kernel_arguments/,
      /\(free\):\s+error: [^\n]*cannot be adopted: instance_info differs in ramdisk_kernel_arguments/,
    ]);

    const [running, unclaimed] = [await judge.node(held), await judge.node(free)];
    stack.resources = adopting({});
    await stack.up();
    for (const [before, now] of [
      [running, await judge.node(held)],
      [unclaimed, await judge.node(free)],
    ]) {
      expect(now.instance_info).to.deep.equal(before.instance_info);
      expect(now.provision_updated_at).to.equal(before.provision_updated_at);
      expect(now.extra.pulumi_ironic_deployment.instanceUuid).to.equal(now.instance_uuid);
    }
    expect((await judge.node(held)).instance_uuid).to.equal(theirs);
    expect((await stack.stateOf("RamdiskDeployment", "held")).id).to.equal(theirs);
    await stack.settled();
    await stack.refresh("--expect-no-changes");

    await stack.destroy();
    for (const name of [held, free]) {
      const now = await judge.node(name);
      expect(now.provision_state).to.equal("active");
      expect(now.extra).to.deep.equal({});
      expect(await judge.deploys(name)).to.equal(1);
    }
    await tidy(judge, held);
    await tidy(judge, free);
    stack.remove();
  });
});
