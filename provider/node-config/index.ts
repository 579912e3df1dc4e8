import * as pulumi from "@pulumi/pulumi";
import { identityInputs, shells } from "../stack/index.ts";

export interface BaremetalNodeConfigArgs {
  /** Name or UUID of the node. Another node replaces the resource; another spelling of the same node changes nothing. */
  node: pulumi.Input<string>;
  /**
   * [Deploy interface](https://docs.openstack.org/ironic/latest/admin/interfaces/deploy.html). Default: `ramdisk`.
   * Changes in place, while the node is enroll, manageable or available. Error: the interface is not enabled.
   */
  deployInterface?: pulumi.Input<string | undefined>;
  /**
   * [Boot interface](https://docs.openstack.org/ironic/latest/admin/interfaces/boot.html), e.g. `ipxe` or
   * `redfish-virtual-media`. Default: left as it is. Changes in place, in the same states as `deployInterface`.
   */
  bootInterface?: pulumi.Input<string | undefined>;
  /**
   * Whether Ironic [cleans](https://docs.openstack.org/ironic/latest/admin/cleaning.html) the node after each
   * deployment. Default: left as it is. Changes in place, in any settled state. Error: Ironic older than API 1.47.
   */
  automatedCleaning?: pulumi.Input<boolean | undefined>;
  /**
   * Keys of `driver_info`, e.g. `force_persistent_boot_device`; others on the node stay as they are. Changes in place.
   * Error: a credential, whose value Ironic does not show and which could therefore not be restored.
   */
  driverInfo?: pulumi.Input<Record<string, pulumi.Input<unknown>> | undefined>;
  /**
   * Keys of `properties.capabilities`, e.g. `{ boot_mode: "uefi" }`; others on the node stay as they are. Changes in
   * place. Source: https://docs.openstack.org/ironic/latest/install/advanced.html
   */
  capabilities?: pulumi.Input<Record<string, pulumi.Input<string>> | undefined>;
  /** The node's description, at most 4096 characters. Changes in place. Error: Ironic older than API 1.51. */
  description?: pulumi.Input<string | undefined>;
  /** Keys of `extra`; others on the node stay as they are. Changes in place. */
  extra?: pulumi.Input<Record<string, pulumi.Input<unknown>> | undefined>;
  /**
   * `restore` (default) puts back what was there before this resource, where the node still has what it wrote;
   * `keep` leaves everything. Changes nothing on the node.
   */
  onDestroy?: pulumi.Input<"restore" | "keep" | undefined>;
  /** On destroy: `true` turns automated cleaning on whatever it was before, `false` leaves it as it is. Default: restore. */
  reenableAutomatedCleaning?: pulumi.Input<boolean | undefined>;
}

/**
 * Interfaces and settings of a node while the stack holds it. The values from before are saved on the node and in the
 * state, and restored on destroy.
 *
 * Errors: the node is held by another stack or instance, is in maintenance, or is in a state in which its interfaces
 * cannot change. Nothing is written then.
 */
export class BaremetalNodeConfig extends pulumi.dynamic.Resource {
  /** The node as it was given; resources that use it wait for these settings. */
  declare readonly node: pulumi.Output<string>;
  declare readonly nodeUuid: pulumi.Output<string>;
  declare readonly nodeName: pulumi.Output<string | undefined>;
  declare readonly deployInterface: pulumi.Output<string | undefined>;
  declare readonly bootInterface: pulumi.Output<string | undefined>;
  declare readonly automatedCleaning: pulumi.Output<boolean | undefined>;
  /** What refresh found that this stack did not do; absent if nothing. */
  declare readonly drift: pulumi.Output<string | undefined>;

  constructor(name: string, args: BaremetalNodeConfigArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = {
      nodeUuid: undefined,
      nodeName: undefined,
      previous: undefined,
      written: undefined,
      drift: undefined,
    };
    super(
      shells["node-config"],
      name,
      { ...outputs, ...args, ...identityInputs("BaremetalNodeConfig", name, options?.parent) },
      { deleteBeforeReplace: true, ...options },
      "ironic",
      "BaremetalNodeConfig",
    );
  }
}
