/** While a deployment of the stack stands on a node, what decides about its cleaning stays as it is. */
import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { CONFIG_MARKER, configMarker, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { fakeCall, fakeServices } from "../fakes/call.ts";
import { deploymentBy } from "../fakes/identities.ts";
import type { World } from "../fakes/world.ts";
import { BEFORE, DEPLOYED, deploy, INPUTS, made, NODE, settings, WRITTEN } from "./scene.ts";

const DEPLOYMENT = { node: "worker-1", ...deploymentBy("stack-1", "worker"), nodeUuid: NODE, instanceUuid: DEPLOYED };
const isCleaned = ({ client }: World): boolean =>
  client.writes.some(({ before }) => before?.provision_state === "cleaning") ||
  client.requests.some(({ body }) => (body as { target?: string } | undefined)?.target === "provide");

/** The deployment's destroy: in a later run, unless told otherwise. */
const destroyDeployment = async (w: World, services = fakeServices(w.client, w.clock)) => {
  const from = w.clock.now();
  await w.clock.run(deploymentHandler.delete(DEPLOYED, DEPLOYMENT, services, fakeCall()));
  return w.clock.now() - from;
};

describe("settings under a deployment that does not go", () => {
  const ROWS: readonly [what: string, node: Partial<Node>][] = [
    [
      "its BMC died while it was undeployed",
      { provision_state: "error", instance_uuid: null, maintenance: true, fault: "power failure" },
    ],
    ["in maintenance", { maintenance: true }],
    ["that waits on an available node", { provision_state: "available" }],
    ["that waits on an available node in maintenance", { provision_state: "available", maintenance: true }],
    ["whose deploy failed", { provision_state: "deploy failed" }],
  ];
  for (const [what, fields] of ROWS)
    it(`leave the cleaning as it is, and the deployment's destroy cleans no disk: ${what}`, async () => {
      const { w, first } = await made({ automated_clean: true });
      deploy(w);
      Object.assign(w.fake.node, fields);
      expect(await w.destroy(first)).to.equal(undefined);
      expect(settings(w.node())).to.deep.equal(WRITTEN);
      const previous = { ...BEFORE, automated_clean: true };
      expect(configMarker(w.node())).to.deep.include({ restorePending: true, previous, written: WRITTEN });
      expect(w.warnings().join()).to.match(/Destroying that deployment restores the rest/);
      Object.assign(w.fake.node, { maintenance: false, fault: null });
      expect(await destroyDeployment(w), "without a cleaning").to.be.below(30_000);
      expect(isCleaned(w)).to.equal(false);
      expect(settings(w.node())).to.deep.equal(previous);
      expect(w.node().extra).to.deep.equal({});
    });

  it("also where others have wiped the marks: the record is written anew from the state", async () => {
    const { w, first } = await made(
      { automated_clean: true },
      { ...INPUTS, resourceId: "ironic:BaremetalNodeConfig::worker" },
    );
    deploy(w);
    w.fake.node.extra = {};
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(WRITTEN);
    expect(configMarker(w.node())).to.deep.include({ restorePending: true, written: WRITTEN });
    await destroyDeployment(w);
    expect(settings(w.node())).to.deep.equal({ ...BEFORE, automated_clean: true });
  });

  it("turn the cleaning off again only where the same run has seen the state: a mark alone is not enough", async () => {
    for (const later of [false, true]) {
      const { w, first } = await made({ automated_clean: false }, { ...INPUTS, automatedCleaning: true });
      deploy(w);
      await w.destroy(first);
      await destroyDeployment(w, later ? undefined : w.services);
      expect(w.node().automated_clean).to.equal(later);
      expect(w.node().extra).to.deep.equal({});
    }
  });

  it("are not restored on the word of a mark that the deployment stays", async () => {
    const lies: ((node: Node) => void)[] = [
      (node) => Object.assign(node.extra[DEPLOYMENT_MARKER] as object, { keep: true }),
      (node) => {
        delete node.extra[DEPLOYMENT_MARKER];
        const kept = { keptInstanceUuid: DEPLOYED, keptResourceId: DEPLOYMENT.resourceId };
        Object.assign(node.extra[CONFIG_MARKER] as object, kept);
      },
    ];
    for (const lie of lies) {
      const { w, first } = await made({ automated_clean: true });
      deploy(w);
      lie(w.fake.node);
      expect(await w.destroy(first)).to.equal(undefined);
      expect(w.node().automated_clean).to.equal(false);
      expect(w.warnings().join()).to.match(/could not be restored while the node is "active"/);
      expect(await destroyDeployment(w), "without a cleaning").to.be.below(30_000);
    }
  });

  it("are restored by the deployment that is handed over later", async () => {
    const { w, first } = await made();
    deploy(w, { keep: true });
    await w.destroy(first);
    expect(w.node().automated_clean).to.equal(false);
    const call = fakeCall();
    const kept = { ...DEPLOYMENT, onDestroy: "keep" };
    await w.clock.run(deploymentHandler.delete(DEPLOYED, kept, fakeServices(w.client, w.clock), call));
    expect(w.node()).to.deep.include({ automated_clean: null, provision_state: "active", extra: {} });
    expect(call.warnings.join()).to.match(/deploy_interface, boot_interface could not be restored/);
  });
});
