import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { ConfigDrive, NodeAllocation, RamdiskDeployment } from "../../provider/index.ts";
import { siblingId } from "../../provider/node/identity.ts";
import { resourceIdOf } from "../../provider/stack/identity.ts";
import { A } from "../fakes/deployments.ts";
import { world } from "../fakes/world.ts";

class Component extends pulumi.ComponentResource {}

describe("a resource's identity", () => {
  const registered: { type: string; name: string; inputs: Record<string, unknown> }[] = [];
  before(async () => {
    await pulumi.runtime.setMocks(
      {
        newResource: ({ type, name, inputs }) => {
          registered.push({ type, name, inputs });
          return { id: `${name}-id`, state: { ...inputs, stackId: inputs.stackId ?? "made-once" } };
        },
        call: ({ inputs }) => inputs,
      },
      "shop",
      "test",
    );
  });
  beforeEach(() => {
    registered.length = 0;
  });
  after(() => pulumi.runtime.setAllConfig({}));

  const made = async (resource: pulumi.Resource): Promise<void> => {
    await new Promise((resolve) => resource.urn.apply(resolve));
  };
  const inputsOf = (type: string) => registered.filter((each) => each.type.endsWith(type)).map(({ inputs }) => inputs);

  it("is made of the types of its parents, its own and its name", async () => {
    const args = { node: "n", bootIso: "http://h/iso" };
    const outer = new Component("my:index:Cluster", "outer");
    const inner = new Component("my:index:Rack", "inner", {}, { parent: outer });
    const other = new Component("my:index:Lab", "other");
    await Promise.all(
      [{}, { parent: inner }, { parent: other }].map((options) => made(new RamdiskDeployment("worker", args, options))),
    );
    expect(inputsOf("RamdiskDeployment").map(({ resourceId }) => resourceId)).to.have.members([
      "ironic:RamdiskDeployment::worker",
      "my:index:Cluster$my:index:Rack$ironic:RamdiskDeployment::worker",
      "my:index:Lab$ironic:RamdiskDeployment::worker",
    ]);
    for (const inputs of inputsOf("RamdiskDeployment"))
      expect(inputs).to.deep.include({ stackId: "made-once", stackName: "test", resourceName: "worker" });
  });

  it("keeps equal names under parents of different types apart: the second does not reboot the first one's machine", async () => {
    const args = { node: "worker-1", ...A };
    const [cluster, lab] = [new Component("my:index:Cluster", "same"), new Component("my:index:Lab", "same")];
    for (const parent of [cluster, lab]) await made(new RamdiskDeployment("worker", args, { parent }));
    const [first = {}, second = {}] = inputsOf("RamdiskDeployment").map(({ __provider: _code, ...inputs }) => inputs);
    expect(first.resourceId).not.to.equal(second.resourceId);
    const w = world(deploymentHandler);
    const { outs } = await w.made(undefined, first);
    const { error } = await w.up(undefined, second);
    expect(error).to.have.property("code", "node-held-by-own-stack");
    expect(w.node().instance_uuid).to.equal(outs.instanceUuid);
    expect(w.fake.boots).to.have.length(1);
  });

  it("says one identity of the stack for all, and drives hold no claim", async () => {
    await made(new NodeAllocation("any", { resourceClass: "baremetal" }));
    await made(new ConfigDrive("worker", { node: "n", userData: "#!/bin/sh" }));
    expect(inputsOf("StackIdentity").length).to.be.lessThan(2);
    expect(inputsOf("NodeAllocation")[0]).to.deep.include({ resourceId: "ironic:NodeAllocation::any" });
    expect(inputsOf("ConfigDrive")[0]).not.to.have.any.keys("stackId", "resourceId", "resourceName");
  });

  it("takes names as they are, and no account of the stack itself", () => {
    const stack = "urn:pulumi:test::shop::pulumi:pulumi:Stack::shop-test";
    expect(resourceIdOf("RamdiskDeployment", "a::b$c", stack)).to.equal("ironic:RamdiskDeployment::a::b$c");
    const odd = "urn:pulumi:test::shop::my:index:Rack::r::s";
    expect(resourceIdOf("RamdiskDeployment", "w", odd)).to.equal("my:index:Rack$ironic:RamdiskDeployment::w");
  });

  it("leads to the resource of another type with the same name and parents", () => {
    const id = resourceIdOf("BaremetalNodeConfig", "a::b$c", "urn:pulumi:test::shop::my:index:Rack::r");
    expect(siblingId(id, "ironic:RamdiskDeployment")).to.equal("my:index:Rack$ironic:RamdiskDeployment::a::b$c");
    expect(siblingId("ironic:BaremetalNodeConfig::w", "ironic:RamdiskDeployment")).to.equal(
      "ironic:RamdiskDeployment::w",
    );
  });
});
