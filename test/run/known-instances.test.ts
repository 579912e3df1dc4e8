import { expect } from "chai";
import { createKnownInstances } from "../../provider/run/known-instances.ts";

describe("instances that the states of a run know", () => {
  it("are unknown until a state names them", () => {
    expect(createKnownInstances().of("node-1", "instance-1")).to.equal(undefined);
  });

  it("are held by a deployment, or handed over by one that leaves", () => {
    const instances = createKnownInstances();
    instances.hold("node-1", "instance-1");
    expect(instances.of("node-1", "instance-1")).to.equal("held");
    instances.handOver("node-1", "instance-1");
    expect(instances.of("node-1", "instance-1")).to.equal("handedOver");
    // As in one run: a deployment is destroyed, and another adopts what it left.
    instances.hold("node-1", "instance-1");
    expect(instances.of("node-1", "instance-1")).to.equal("held");
  });

  it("are known on their own node only, and there by their own UUID only", () => {
    const instances = createKnownInstances();
    instances.hold("node-1", "instance-1");
    instances.handOver("node-2", "instance-2");
    expect(instances.of("node-2", "instance-1")).to.equal(undefined);
    expect(instances.of("node-1", "instance-2")).to.equal(undefined);
    expect(instances.of("node-1", "instance-1")).to.equal("held");
    expect(instances.of("node-2", "instance-2")).to.equal("handedOver");
  });

  it("say nothing of a node without an instance", () => {
    const instances = createKnownInstances();
    instances.hold("node-1", "null");
    expect(instances.of("node-1", null)).to.equal(undefined);
  });
});
