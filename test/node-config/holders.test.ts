import { expect } from "chai";
import type { Claimant } from "../../provider/node/identity.ts";
import { instanceUuidFor, siblingId } from "../../provider/node/identity.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { otherHolderOn, standingOn, type Witness, witnessFor } from "../../provider/node-config/holders.ts";
import { newNode } from "../fakes/fake-node.ts";
import { allocationMarkBy, deploymentMarkBy, settingsBy, settingsMarkBy } from "../fakes/identities.ts";
import { NOW, OTHER_INSTANCE } from "../fakes/nodes.ts";
import { NODE, scene } from "./scene.ts";

const OURS: Claimant = settingsBy("s1", "web");
const nodeWith = (fields: Partial<Node>): Node => newNode(1, NOW, fields);
const settingsMark = (more: object = {}, stackId = "s1", name = "web") => ({
  [CONFIG_MARKER]: { ...settingsMarkBy(stackId, name), previous: {}, written: {}, ...more },
});
const deploymentMark = (more: object = {}, stackId = "s1") => ({
  [DEPLOYMENT_MARKER]: { ...deploymentMarkBy(stackId, "app"), instanceUuid: OTHER_INSTANCE, preparedAt: null, ...more },
});
const witness = (more: Partial<Witness> = {}): Witness => ({
  allocated: null,
  inState: false,
  instanceOn: () => undefined,
  ...more,
});
/** The instance_uuid that a deployment of stack s1 makes for the node. */
const madeBy = (resourceId: string, more: object = {}) =>
  instanceUuidFor({ stackId: "s1", resourceId, nodeUuid: NODE, ...more });
const SIBLING = madeBy(siblingId(OURS.resourceId, "ironic:RamdiskDeployment"));
const APP = madeBy("ironic:RamdiskDeployment::app");

describe("who else holds a node whose settings are made", () => {
  type Row = [what: string, node: Partial<Node>, known: Partial<Witness>, who: string | undefined];
  const ROWS: readonly Row[] = [
    ["nobody on a free node", {}, {}, undefined],
    ["not its own settings", { extra: settingsMark() }, {}, undefined],
    ["another stack's settings", { extra: settingsMark({}, "s2") }, {}, 'BaremetalNodeConfig "web" of stack s2'],
    [
      "other settings of the same stack",
      { extra: settingsMark({}, "s1", "second") },
      {},
      'BaremetalNodeConfig "second" of this same stack',
    ],
    ["a deployment of another stack", { extra: deploymentMark({}, "s2") }, {}, 'deployment "app" of stack s2'],
    ["an instance of which nothing is known", { instance_uuid: OTHER_INSTANCE }, {}, `instance ${OTHER_INSTANCE}`],
    ["not the stack's own allocation", { instance_uuid: OTHER_INSTANCE }, { allocated: OTHER_INSTANCE }, undefined],
    ["not what a state of the run has", { instance_uuid: OTHER_INSTANCE }, { instanceOn: () => "held" }, undefined],
    ["not a deployment of its own name, its mark wiped or not", { instance_uuid: SIBLING }, {}, undefined],
    [
      "not a deployment of the stack that its mark names",
      { instance_uuid: APP, extra: deploymentMark() },
      {},
      undefined,
    ],
    ["one of another name whose mark is wiped", { instance_uuid: APP }, {}, `instance ${APP}`],
    [
      "not a machine of a fleet, whose key is in its mark",
      {
        instance_uuid: madeBy("ironic:RamdiskDeployment::app", { member: "a", runId: "7" }),
        extra: deploymentMark({ member: "a", runId: "7" }),
      },
      {},
      undefined,
    ],
    [
      "not one that was handed over, where it follows from the resource in the settings' mark",
      { instance_uuid: APP, extra: settingsMark({ keptResourceId: "ironic:RamdiskDeployment::app" }) },
      {},
      undefined,
    ],
    [
      "whom a mark alone calls a deployment of the stack",
      { instance_uuid: OTHER_INSTANCE, extra: deploymentMark() },
      {},
      `instance ${OTHER_INSTANCE}`,
    ],
    [
      "not whom such a mark names where a state has the settings: it may have been adopted",
      { instance_uuid: OTHER_INSTANCE, extra: deploymentMark() },
      { inState: true },
      undefined,
    ],
    [
      "whom not even the mark names, though a state has the settings",
      { instance_uuid: OTHER_INSTANCE, extra: deploymentMark({ instanceUuid: APP }) },
      { inState: true },
      `instance ${OTHER_INSTANCE}`,
    ],
  ];
  for (const [what, node, known, who] of ROWS)
    it(`is ${what}`, () => expect(otherHolderOn(nodeWith(node), OURS, witness(known))?.who).to.equal(who));

  it("is a stack of another name with the same id, as long as no state has the settings", () => {
    const node = nodeWith({ extra: settingsMark({ stackName: "prod" }) });
    const named = { ...OURS, stackName: "dev" };
    expect(otherHolderOn(node, { ...named, isNew: true }, witness())).to.deep.equal({
      who: 'BaremetalNodeConfig "web" of stack prod (s1)',
      isSameStack: false,
      sharedStackId: "s1",
    });
    expect(otherHolderOn(node, named, witness())).to.equal(undefined);
  });
});

describe("how a deployment of the stack stands on the node", () => {
  const kept = { extra: settingsMark({ keptInstanceUuid: OTHER_INSTANCE }) };
  const on = { instance_uuid: OTHER_INSTANCE, provision_state: "active" };
  type Row = [what: string, node: Partial<Node>, known: Partial<Witness>, standing: ReturnType<typeof standingOn>];
  const ROWS: readonly Row[] = [
    ["without instance and mark", {}, {}, "none"],
    ["marked, before or after its instance", { extra: deploymentMark() }, {}, "stands"],
    [
      "marked, though it is said to be handed over",
      { ...on, extra: deploymentMark() },
      { instanceOn: () => "handedOver" },
      "stands",
    ],
    ["of whose instance nothing is known", on, {}, "stands"],
    ["that a state of the run has", { ...on, ...kept }, { instanceOn: () => "handedOver" }, "handedOver"],
    ["that only a mark calls handed over", { ...on, ...kept }, {}, "saidToBeHandedOver"],
    ["of another instance than the mark calls handed over", { ...on, ...kept, instance_uuid: APP }, {}, "stands"],
    ["allocated, and nothing deployed", { ...on, provision_state: "available" }, { allocated: OTHER_INSTANCE }, "none"],
    ["allocated and deployed", on, { allocated: OTHER_INSTANCE }, "stands"],
  ];
  for (const [what, node, known, standing] of ROWS)
    it(`${what}: ${standing}`, () => expect(standingOn(nodeWith(node), witness(known))).to.equal(standing));
});

describe("the witness of instances", () => {
  const OURS_ON = { instance_uuid: OTHER_INSTANCE, allocation_uuid: OTHER_INSTANCE };
  const seen = (fields: Partial<Node>, stackId = "s1") => {
    const w = scene(fields);
    const extra = { [CONFIG_MARKER]: allocationMarkBy(stackId, "any") };
    const made = { state: "active" as const, node_uuid: NODE, last_error: null, resource_class: "baremetal" };
    w.client.allocations.all.push({ uuid: OTHER_INSTANCE, ...made, extra });
    return { w, find: () => w.clock.run(witnessFor(w.node(), OURS, true, w.services, w.call)) };
  };

  it("knows the instance of an allocation that any resource of the stack made, and no other stack's", async () => {
    for (const [stackId, allocated] of [
      ["s1", OTHER_INSTANCE],
      ["s2", null],
    ] as const)
      expect(await seen(OURS_ON, stackId).find(), stackId).to.deep.include({ allocated, inState: true });
  });

  it("asks nothing where the instance is no allocation's", async () => {
    for (const fields of [{}, { instance_uuid: OTHER_INSTANCE }, { ...OURS_ON, instance_uuid: APP }]) {
      const { w, find } = seen(fields);
      expect(await find()).to.have.property("allocated", null);
      expect(w.asked()).to.deep.equal([]);
    }
  });

  it("knows nothing of an allocation that is not shown, and passes any other failure on", async () => {
    const { w, find } = seen(OURS_ON);
    w.client.hidden.add(OTHER_INSTANCE);
    expect(await find()).to.have.property("allocated", null);
    w.fault("GET", "/allocations", "serverError");
    expect(await find().catch((error: unknown) => error)).to.have.property("fault", "serverError");
  });

  it("goes by the states of the run for the instance that is on the node at the time", async () => {
    const { w, find } = seen({});
    const { instanceOn } = await find();
    const node = { ...w.node(), instance_uuid: OTHER_INSTANCE };
    expect(instanceOn(node)).to.equal(undefined);
    w.services.run.instances.hold(NODE, OTHER_INSTANCE);
    expect([instanceOn(node), instanceOn({ ...node, instance_uuid: APP })]).to.deep.equal(["held", undefined]);
    w.services.run.instances.handOver(NODE, OTHER_INSTANCE);
    expect(instanceOn(node)).to.equal("handedOver");
  });
});
