// A fleet and look-ups, as the stack's configuration describes them.
import * as pulumi from "@pulumi/pulumi";
import * as ironic from "pulumi-ironic";

const config = new pulumi.Config();
const args = config.getObject<ironic.RamdiskFleetArgs>("fleet");
const asked = config.getObject<{ node: string; filters: ironic.NodeFilter[]; endpoint: string }>("lookups");

const names = (found: ironic.NodeInfo[]) => found.map(({ name }) => name);

const fleet = args && new ironic.RamdiskFleet("fleet", args);
export const nodes = fleet?.nodes;

const west = asked && new ironic.Provider("west", { endpoint: asked.endpoint, authType: "none" });
export const looked = west && {
  node: ironic.getNode(asked.node),
  ports: ironic.getPorts(asked.node),
  found: asked.filters.map(async (filter) => names(await ironic.getNodes(filter))),
  // As outputs, of an output, and through an explicit provider.
  outputs: {
    node: ironic.getNodeOutput(pulumi.output(asked.node), { provider: west }).uuid,
    ports: ironic.getPortsOutput(asked.node, { provider: west }).apply((ports) => ports.length),
    found: ironic.getNodesOutput({ associated: true }, { provider: west }).apply(names),
  },
};
