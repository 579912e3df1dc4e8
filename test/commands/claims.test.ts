import { expect } from "chai";
import {
  type ListedClaim,
  listClaims,
  parseExport,
  releaseClaims,
  stackNameOf,
} from "../../provider/commands/claims.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import type { Client, ReadOptions } from "../../provider/http/client.ts";
import { allocationUuidFor } from "../../provider/node/identity.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import { fakeCall } from "../fakes/call.ts";
import { A, NODE } from "../fakes/deployments.ts";
import {
  allocationBy,
  allocationMarkBy,
  deploymentBy,
  deploymentMarkBy,
  settingsBy,
  settingsMarkBy,
} from "../fakes/identities.ts";
import { shaped } from "../fakes/shaped.ts";
import { world } from "../fakes/world.ts";

const ALLOCATION = allocationUuidFor({ ...allocationBy("stack-1", "any"), resourceClass: "baremetal" });
const OTHER_NODE = "00000000-0000-4000-8000-000000000002";

describe("claims", () => {
  it("are listed from every page that Ironic gives", async () => {
    const all = ["a", "b", "c"].map((uuid) => ({
      uuid,
      node_uuid: null,
      state: "error",
      extra: { pulumi_ironic: { ...allocationMarkBy("stack-1", uuid) } },
    }));
    const client = {
      supports: async () => true,
      async get<T>(path: string, { query, shape }: ReadOptions<T>): Promise<T> {
        if (path === "/nodes") return shaped(shape, { nodes: [] }, path);
        const from = all.findIndex(({ uuid }) => uuid === query?.marker) + 1;
        const answer = { allocations: all.slice(from, from + 2), ...(from + 2 < all.length && { next: "more" }) };
        return shaped(shape, answer, path);
      },
    } as unknown as Client;
    const found = await listClaims(client, "stack-1", undefined);
    expect(found.map(({ instanceUuid }) => instanceUuid)).to.have.members(["a", "b", "c"]);
  });

  /** A deployment with its allocation and settings on one node, and settings on another. */
  const scene = (keep = false) => {
    const config = { ...settingsMarkBy("stack-1", "settings"), previous: {}, written: {} };
    const marker = { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: ALLOCATION, preparedAt: null };
    const w = world(deploymentHandler, {
      node: {
        provision_state: "active",
        instance_uuid: ALLOCATION,
        allocation_uuid: ALLOCATION,
        instance_info: A,
        automated_clean: false,
        extra: { [DEPLOYMENT_MARKER]: marker, [CONFIG_MARKER]: config },
      },
    });
    const second = w.ironic.add({ uuid: OTHER_NODE, name: "worker-2", extra: { [CONFIG_MARKER]: config } });
    const extra = { pulumi_ironic: { ...allocationMarkBy("stack-1", "any") } };
    const made = { uuid: ALLOCATION, state: "active" as const, node_uuid: NODE, last_error: null };
    w.client.allocations.all.push({ ...made, resource_class: "baremetal", extra });
    const base = {
      node: "worker-1",
      nodeUuid: NODE,
      instanceUuid: ALLOCATION,
      confirmed: true,
    };
    const claims: ListedClaim[] = [
      { ...base, kind: "deployment", ...deploymentBy("stack-1", "worker"), provisionState: "active", keep },
      { ...base, kind: "allocation", ...allocationBy("stack-1", "any"), provisionState: "active" },
      { ...base, kind: "node config", ...settingsBy("stack-1", "settings"), provisionState: "active" },
      {
        ...base,
        kind: "node config",
        ...settingsBy("stack-1", "settings"),
        node: "worker-2",
        nodeUuid: OTHER_NODE,
        provisionState: "",
      },
    ];
    const release = async () => {
      const told: string[] = [];
      const tell = (text: string) => told.push(text);
      const failed = await w.clock.run(releaseClaims(claims, w.services, () => fakeCall(), tell));
      return { failed, told };
    };
    return { w, second, release };
  };

  it("are released in their order", async () => {
    const { w, release } = scene();
    expect(await release()).to.deep.equal({
      failed: 0,
      told: [
        "Released: deployment worker on worker-1",
        "Released: allocation any on worker-1",
        "Released: node config settings on worker-1",
        "Released: node config settings on worker-2",
      ],
    });
    expect(w.node()).to.deep.include({ provision_state: "available", instance_uuid: null, extra: {} });
  });

  it("of a node whose deployment could not be released stay with it", async () => {
    const { w, second, release } = scene();
    Object.assign(w.fake.node, { protected: true, maintenance: true });
    const before = structuredClone(w.node());
    const { failed, told } = await release();
    expect(failed).to.equal(3);
    expect(told[0]).to.match(/^Not released: deployment worker on worker-1: .*protected/);
    for (const [index, what] of ["allocation any", "node config settings"].entries())
      expect(told[index + 1]).to.equal(
        `Not released: ${what} on worker-1: The deployment on its node was not released. Resolve that one first, then run this again. [claim-not-released]`,
      );
    expect(told[3]).to.equal("Released: node config settings on worker-2");
    expect(w.node()).to.deep.equal(before);
    expect(w.client.allocations.all).to.have.length(1);
    expect(second.node.extra).to.deep.equal({});
  });

  it("are not called released where nothing was given back", async () => {
    const { w, release } = scene();
    // The deployment's node was taken by others since it was listed; its allocation has ended with that.
    w.fake.node.instance_uuid = NODE;
    w.client.allocations.all.length = 0;
    const { failed, told } = await release();
    expect(failed).to.equal(2);
    expect(told[0]).to.match(/^Not released: deployment worker on worker-1: the node is held by .*\[claim-gone\]$/);
    expect(told[1]).to.equal("Nothing to release: allocation any on worker-1: it has ended with its deployment");
    expect(told[2]).to.match(/^Not released: node config settings on worker-1: .*held by .*\[node-held\]$/);
    expect(told[3]).to.equal("Released: node config settings on worker-2");
    expect((await release()).told[3]).to.equal(
      "Nothing to release: node config settings on worker-2: nothing of these settings is on the node",
    );
  });

  it("are not called released where the machine that was handed over keeps them", async () => {
    const { w, release } = scene(true);
    const { told } = await release();
    expect(told[1]).to.match(/^Nothing to release: allocation any on worker-1: the machine that was handed over/);
    expect(w.client.allocations.all).to.have.length(1);
  });

  it("are not released any further after an interruption", async () => {
    const { w } = scene();
    const call = fakeCall();
    call.abort();
    const claim = { kind: "allocation", stackId: "o", resourceName: "r", node: "n", nodeUuid: NODE } as ListedClaim;
    expect(await releaseClaims([claim], w.services, () => call, expect.fail)).to.equal(0);
    expect(w.client.requests).to.deep.equal([]);
  });
});

describe("an exported stack", () => {
  it("is parsed: what is not read passes, what has another type is named", () => {
    const resources = [{ type: "pulumi:pulumi:Stack", urn: "urn:pulumi:dev::p::t::n", custom: false }];
    const state = parseExport({ version: 3, deployment: { manifest: {}, resources } });
    expect(stackNameOf(state)).to.equal("dev");
    expect(parseExport({ version: 3, deployment: {} })).to.deep.equal({ deployment: {} });
    expect(() => parseExport({ deployment: { resources: [{ type: 1 }] } })).to.throw(
      "This is not an exported stack: deployment.resources[0].type: must be a string. Use the output of `pulumi stack export`.",
    );
    expect(() => parseExport("text")).to.throw("must be an object");
  });
});
