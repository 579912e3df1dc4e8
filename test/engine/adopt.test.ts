import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { deployByHand, deployment, undeployByHand } from "./recipes.ts";

describe("adopt (engine)", () => {
  it("takes a running deployment by its claim alone, refuses what does not match, and keeps it on destroy", async () => {
    const judge = await sharedObserver("plain");
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
      /cannot be adopted: its instance_uuid is not set, but /,
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
    await undeployByHand(judge, held);
    await undeployByHand(judge, free);
    stack.remove();
  });
});
