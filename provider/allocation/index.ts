import * as pulumi from "@pulumi/pulumi";
import { identityInputs, shells } from "../stack/index.ts";

export interface NodeAllocationArgs {
  /** The resource class a node must have. A change replaces. */
  resourceClass: pulumi.Input<string>;
  /** Traits that it must have all of. A change replaces. */
  traits?: pulumi.Input<pulumi.Input<string>[] | undefined>;
  /** Names or UUIDs to choose from. Default: all nodes. A change replaces. */
  candidateNodes?: pulumi.Input<pulumi.Input<string>[] | undefined>;
  /** Seconds to wait for a node. Default: 120. */
  timeoutSeconds?: pulumi.Input<number | undefined>;
}

/**
 * Any free node of a resource class, by Ironic's
 * [allocation API](https://docs.openstack.org/ironic/latest/admin/allocation.html) (API 1.52). Undeploying the node
 * ends the allocation, as Ironic does.
 */
export class NodeAllocation extends pulumi.dynamic.Resource {
  /** UUID of the node that was found. */
  declare readonly node: pulumi.Output<string>;
  /** The allocation's UUID, which is the node's instance_uuid: for RamdiskDeployment's `allocation`. */
  declare readonly uuid: pulumi.Output<string>;

  constructor(name: string, args: NodeAllocationArgs, options?: pulumi.CustomResourceOptions) {
    super(
      shells.allocation,
      name,
      { node: undefined, uuid: undefined, ...args, ...identityInputs("NodeAllocation", name, options?.parent) },
      { deleteBeforeReplace: true, ...options },
      "ironic",
      "NodeAllocation",
    );
  }
}
