/** Many may write a mark. What `claims --release` makes of one that nothing else confirms. */
import { expect } from "chai";
import { type ListedClaim, listClaims, releaseClaims } from "../../provider/commands/claims.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { allocationUuidFor } from "../../provider/node/identity.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { fakeCall } from "../fakes/call.ts";
import { A, NODE, OURS } from "../fakes/deployments.ts";
import { allocationBy, allocationMarkBy, deploymentMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { world } from "../fakes/world.ts";

const MARK = { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: OURS, preparedAt: null };
const RUNS = { provision_state: "active", instance_uuid: OURS, instance_info: A, automated_clean: false };
const asked = { ...allocationBy("stack-1", "any"), resourceClass: "baremetal", traits: ["CUSTOM_GPU"] };

const scene = (node: Partial<Node>, mark: object = MARK) => {
  const w = world(deploymentHandler, { node: { ...RUNS, extra: { [DEPLOYMENT_MARKER]: mark }, ...node } });
  const list = () => w.clock.run(listClaims(w.client, "stack-1", undefined));
  const release = async (isNamed?: (claim: ListedClaim) => boolean) => {
    const told: string[] = [];
    const claims = await list();
    const failed = await w.clock.run(
      releaseClaims(
        claims,
        w.services,
        () => fakeCall(),
        (text) => told.push(text),
        undefined,
        isNamed,
      ),
    );
    return { failed, told };
  };
  return { w, list, release };
};

/** An allocation of that UUID on the node. */
const allocated = (uuid: string, mark: object, wanted: object = {}) => {
  const s = scene({ instance_uuid: uuid, allocation_uuid: uuid }, { ...MARK, instanceUuid: uuid });
  s.w.client.allocations.all.push({
    uuid,
    state: "active",
    node_uuid: NODE,
    last_error: null,
    resource_class: "baremetal",
    traits: [],
    candidate_nodes: [],
    extra: { pulumi_ironic: mark },
    ...wanted,
  });
  return s;
};

describe("claims without a state", () => {
  it("are confirmed by the UUIDs that follow from stack, resource and node", async () => {
    for (const [node, mark, confirmed] of [
      [{}, MARK, true],
      [{ instance_uuid: null }, MARK, false],
      [{ instance_uuid: OTHER_INSTANCE }, MARK, false],
      [{ instance_uuid: OTHER_INSTANCE }, { ...MARK, instanceUuid: OTHER_INSTANCE }, false],
      [{}, { ...MARK, resourceId: "ironic:RamdiskDeployment::another" }, false],
      [{}, { ...MARK, member: "a" }, false],
    ] as const)
      expect(await scene(node, mark).list(), JSON.stringify([node, mark])).to.have.nested.property(
        "[0].confirmed",
        confirmed,
      );
  });

  it("on an allocation are confirmed where that is the stack's, whatever form its question had", async () => {
    const mark = allocationMarkBy("stack-1", "any");
    for (const [uuid, own, wanted, confirmed] of [
      [allocationUuidFor(asked), mark, { traits: asked.traits }, true],
      [allocationUuidFor({ ...asked, traits: undefined }), mark, {}, true],
      [allocationUuidFor({ ...asked, traits: [], candidateNodes: [] }), mark, {}, true],
      [
        allocationUuidFor({ ...asked, candidateNodes: ["worker-1"] }),
        mark,
        { traits: asked.traits, candidate_nodes: [NODE] },
        true,
      ],
      [
        allocationUuidFor({ ...asked, candidateNodes: [NODE] }),
        mark,
        { traits: asked.traits, candidate_nodes: [NODE] },
        true,
      ],
      [allocationUuidFor(asked), mark, {}, false],
      [allocationUuidFor(asked), allocationMarkBy("stack-1", "else"), { traits: asked.traits }, false],
      [OTHER_INSTANCE, mark, { traits: asked.traits }, false],
    ] as const) {
      const claims = await allocated(uuid, own, wanted).list();
      expect(claims.map(({ kind, confirmed }) => [kind, confirmed])).to.deep.equal([
        ["deployment", confirmed],
        ["allocation", confirmed],
      ]);
    }
    // Another stack's allocation confirms nothing of this one.
    const uuid = allocationUuidFor({ ...asked, stackId: "stack-2" });
    const [claim] = await allocated(uuid, allocationMarkBy("stack-2", "any"), { traits: asked.traits }).list();
    expect(claim?.confirmed).to.equal(false);
  });

  it("that only a mark makes are left alone, and the message says how they are released", async () => {
    for (const [node, mark, why] of [
      [{ instance_uuid: null }, MARK, "instance_uuid is not set"],
      [{ instance_uuid: null, provision_state: "error" }, MARK, "instance_uuid is not set"],
      [
        { instance_uuid: null, provision_state: "manageable" },
        { ...MARK, cleanRetry: true },
        "instance_uuid is not set",
      ],
      [{ instance_uuid: OTHER_INSTANCE }, { ...MARK, instanceUuid: OTHER_INSTANCE }, "does not follow from stack"],
      [
        { instance_uuid: OTHER_INSTANCE },
        { ...MARK, instanceUuid: OTHER_INSTANCE, keep: true },
        "does not follow from stack",
      ],
    ] as const) {
      const { w, release } = scene(node, mark);
      const { failed, told } = await release();
      expect(failed).to.equal(1);
      expect(told[0]).to.match(
        new RegExp(
          `^Not released: deployment worker on worker-1: .*${why}.*--node worker-1.* \\[claim-unconfirmed\\]$`,
        ),
      );
      expect(w.client.writes).to.deep.equal([]);
    }
    const { w, release } = allocated(OTHER_INSTANCE, allocationMarkBy("stack-1", "any"));
    Object.assign(w.fake.node, { extra: {}, provision_state: "available" });
    const { told } = await release();
    expect(told[0]).to.match(/allocation delete .*--node .*\[claim-unconfirmed\]$/);
    expect(w.client.writes).to.deep.equal([]);
  });

  it("are released where the person names their node", async () => {
    for (const node of [{ instance_uuid: null }, { instance_uuid: null, provision_state: "error" }]) {
      const { w, release } = scene(node);
      expect(await release(() => true)).to.deep.equal({ failed: 0, told: ["Released: deployment worker on worker-1"] });
      expect(w.node()).to.deep.include({ provision_state: "available", extra: {} });
    }
    // What others hold stays theirs, named or not.
    const { w, release } = scene({ instance_uuid: OTHER_INSTANCE });
    await release(() => true);
    expect(w.client.writes).to.deep.equal([]);
  });

  it("are not undeployed where the instance_uuid goes between the list and the look", async () => {
    const { w, list } = scene({});
    const claims = await list();
    w.fake.node.instance_uuid = null;
    const told: string[] = [];
    expect(
      await w.clock.run(
        releaseClaims(
          claims,
          w.services,
          () => fakeCall(),
          (text) => told.push(text),
        ),
      ),
    ).to.equal(1);
    expect(told[0]).to.contain("[claim-unconfirmed]");
    expect(w.client.writes).to.deep.equal([]);
  });
});
