import { expect } from "chai";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment, drive } from "./recipes.ts";

describe("replacement and order (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(() => stack.remove());

  for (const [title, ask] of [
    ["up --replace", async (urn: string) => void (await stack.up("--replace", urn))],
    [
      "state taint",
      async (urn: string) => {
        await stack.ok("state", "taint", urn, "--yes");
        await stack.up();
      },
    ],
  ] as const) {
    it(`gives the node back before it is taken again: ${title}`, async () => {
      const node = await judge.take();
      const before = await judge.settings(node);
      stack.resources = [config("w", node), deployment("w", judge.lab)];
      await stack.up();
      await ask(stack.urn("RamdiskDeployment", "w"));
      expect(judge.moves(node)).to.deep.equal([
        "deploying",
        "active",
        "deleting",
        "cleaning",
        "available",
        "deploying",
        "active",
      ]);
      expect(await judge.deploys(node)).to.equal(2);
      await stack.settled();
      await stack.destroy();
      expect(await judge.settings(node)).to.deep.equal(before);
    });
  }

  it("moves to another node: the old one is given back as it was, and first", async () => {
    const [from, to] = [await judge.take(), await judge.take()];
    const [before, other] = [await judge.settings(from), await judge.settings(to)];
    stack.resources = [
      config("w", from),
      drive("w", { ref: "config:w.node" }, { metaData: { hostname: "w" } }),
      deployment("w", judge.lab),
    ];
    await stack.up();
    stack.resources = [
      config("w", to),
      drive("w", { ref: "config:w.node" }, { metaData: { hostname: "w" } }),
      deployment("w", judge.lab),
    ];
    await stack.up();
    expect(await judge.settings(from)).to.deep.equal(before);
    expect((await judge.node(to)).provision_state).to.equal("active");
    await stack.destroy();
    expect(await judge.settings(to)).to.deep.equal(other);
  });

  for (const first of ["settings", "deployment"] as const) {
    it(`waits for the settings, and gives back in order, when both name the node and the ${first} comes first`, async () => {
      const node = await judge.take();
      const before = await judge.settings(node);
      const both = [config("w", node), deployment("w", judge.lab, { node })];
      stack.resources = first === "settings" ? both : both.reverse();
      if (first === "deployment") stack.config({ "ironic:preflight": "warn" });
      await stack.up();
      const now = await judge.node(node);
      expect(now).to.include({
        provision_state: "active",
        boot_interface: "ipxe",
        deploy_interface: "ramdisk",
        automated_clean: false,
      });
      expect(await judge.deploys(node)).to.equal(1);
      await stack.destroy();
      expect(await judge.settings(node)).to.deep.equal(before);
      // Undeployed without cleaning, as cleaning was still off: no wait for an agent.
      expect(judge.moves(node)).to.not.include("clean wait");
    });
  }

  it("redeploys where the user chose it, and an ISO where Ironic cannot rebuild", async () => {
    const node = await judge.take();
    const iso = (bootIso: string, extra = {}) => [
      config("w", node),
      deployment("w", judge.lab, { kernel: undefined, ramdisk: undefined, bootIso, ...extra }),
    ];
    stack.resources = iso(judge.lab.images.iso);
    await stack.up();
    expect((await judge.node(node)).instance_info.boot_iso).to.equal(judge.lab.images.iso);
    stack.resources = iso(`${judge.lab.images.iso}?second`);
    const said = await stack.up();
    expect(said).to.match(
      /warning: Ironic answered 500 to the rebuild[^\n]*The update continues by undeploy and deploy/,
    );
    expect((await judge.node(node)).instance_info.boot_iso).to.equal(`${judge.lab.images.iso}?second`);
    stack.resources = iso(judge.lab.images.iso, { updateStrategy: "redeploy" });
    expect(await stack.up()).to.not.include("Ironic answered 500");
    expect(await judge.deploys(node)).to.equal(3);
    await stack.destroy();
  });

  it("refuses an update that would clean the node, and leaves everything as it was", async () => {
    const node = await judge.take();
    const iso = (bootIso: string) => [
      config("w", node, { automatedCleaning: true }),
      deployment("w", judge.lab, { kernel: undefined, ramdisk: undefined, bootIso }),
    ];
    stack.resources = iso(judge.lab.images.iso);
    await stack.up();
    const running = await judge.node(node);
    stack.resources = iso(`${judge.lab.images.iso}?second`);
    expect(await stack.fails("up")).to.match(/cannot rebuild node [^\n]* Set updateStrategy: "redeploy"/);
    const now = await judge.node(node);
    expect(now.instance_info).to.deep.equal(running.instance_info);
    expect(now.provision_updated_at).to.equal(running.provision_updated_at);
    await stack.destroy();
  });
});
