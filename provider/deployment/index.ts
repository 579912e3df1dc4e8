import * as pulumi from "@pulumi/pulumi";
import { identityInputs, shells } from "../stack/index.ts";
import { SECRET_OUTPUTS } from "./secrets.ts";

/** How to see that the workload is up. Exactly one of `tcp` and `http`. */
export interface ReadinessArgs {
  /** `host:port` that accepts a connection. */
  tcp?: pulumi.Input<string | undefined>;
  /** Address that answers with `status`, or with 200 to 399. */
  http?: pulumi.Input<string | undefined>;
  /** HTTP status to expect. Default: any of 200 to 399. */
  status?: pulumi.Input<number | undefined>;
  /** Seconds from `active` until the deployment counts as failed. Default: 900. */
  timeoutSeconds?: pulumi.Input<number | undefined>;
}

export interface RamdiskDeploymentArgs {
  /** Name or UUID of the node. Another node replaces the deployment; another spelling of the same node changes nothing. */
  node: pulumi.Input<string>;
  /** Kernel: an address the conductor can read (http, https, file) or a Glance UUID. With `ramdisk`. A change reboots the machine. */
  kernel?: pulumi.Input<string | undefined>;
  /** Ramdisk, as `kernel`. A change reboots the machine. */
  ramdisk?: pulumi.Input<string | undefined>;
  /** ISO image to boot instead of kernel and ramdisk. A change reboots the machine. Source: https://docs.openstack.org/ironic/latest/admin/ramdisk-boot.html */
  bootIso?: pulumi.Input<string | undefined>;
  /** Kernel command line (`instance_info.ramdisk_kernel_arguments`); no effect on `bootIso`. A change reboots the machine. */
  kernelArguments?: pulumi.Input<string | undefined>;
  /**
   * Config drive: ConfigDrive's `content`, an object or JSON text with `meta_data`, `network_data`, `user_data`,
   * `vendor_data`, base64 of a gzipped ISO image, or an address. A change reboots the machine. Always encrypted in the
   * state. Only virtual media attaches it; preview warns elsewhere.
   */
  configDrive?: pulumi.Input<string | Record<string, unknown> | undefined>;
  /** Seconds to wait for `active`. The timeout stops Pulumi waiting; Ironic continues, and the next run resumes. Default: 1800. Changes nothing on the machine. */
  timeoutSeconds?: pulumi.Input<number | undefined>;
  /** Seconds to wait for the node to be given back. Default: 10800 if the node cleans, else 300. Changes nothing on the machine. */
  undeployTimeoutSeconds?: pulumi.Input<number | undefined>;
  /**
   * How a change reaches the machine. `rebuild` (default): one reboot, no cleaning; where the server cannot, undeploy and
   * deploy if the node does not clean, else an error before anything is touched. `redeploy`: undeploy and deploy.
   */
  updateStrategy?: pulumi.Input<"rebuild" | "redeploy" | undefined>;
  /** `undeploy` (default) or `keep`: leave the machine running and forget it. Changes nothing on the machine. */
  onDestroy?: pulumi.Input<"undeploy" | "keep" | undefined>;
  /** `on` powers a machine on again that was found switched off. Default: `ignore`, as a finished calculation must not start again. */
  powerPolicy?: pulumi.Input<"ignore" | "on" | undefined>;
  /** Sets Ironic's `protected` once active; removed only if this resource set it. Default: false. Needs API 1.48. */
  protected?: pulumi.Input<boolean | undefined>;
  /** Probe after `active`. Changes nothing on the machine. */
  readiness?: pulumi.Input<ReadinessArgs | undefined>;
  /** UUID of an allocation (NodeAllocation's `uuid`), which then is the instance UUID. A change replaces. */
  allocation?: pulumi.Input<string | undefined>;
  /**
   * Adopts a running deployment instead of creating one: the instance_uuid on the node, or `unclaimed`.
   * Only the claim is written; a mismatch refuses; destroy then keeps by default. Looked at on creation only.
   */
  adopt?: pulumi.Input<string | undefined>;
}

/**
 * A machine that runs a ramdisk or an ISO through Ironic's
 * [ramdisk deploy interface](https://docs.openstack.org/ironic/latest/admin/ramdisk-boot.html). Create deploys, update
 * reboots with what changed, destroy undeploys and waits until the node is available again. A failed deployment stays
 * in the state: the next `pulumi up` repairs it, `pulumi destroy` cleans it up.
 */
export class RamdiskDeployment extends pulumi.dynamic.Resource {
  declare readonly node: pulumi.Output<string>;
  declare readonly nodeUuid: pulumi.Output<string>;
  declare readonly nodeName: pulumi.Output<string | undefined>;
  declare readonly instanceUuid: pulumi.Output<string>;
  /** Ironic's provision state when it was last seen. */
  declare readonly provisionState: pulumi.Output<string>;
  declare readonly powerState: pulumi.Output<string>;
  /** When the machine became active, by Ironic's clock (ISO 8601). */
  declare readonly deployedAt: pulumi.Output<string | undefined>;
  /** What refresh found that this stack did not do; absent if nothing. */
  declare readonly drift: pulumi.Output<string | undefined>;

  constructor(name: string, args: RamdiskDeploymentArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = {
      nodeUuid: undefined,
      nodeName: undefined,
      instanceUuid: undefined,
      provisionState: undefined,
      powerState: undefined,
      deployedAt: undefined,
      driveHash: undefined,
      ready: undefined,
      adopted: undefined,
      drift: undefined,
    };
    const secrets = [...SECRET_OUTPUTS, ...(options?.additionalSecretOutputs ?? [])];
    super(
      shells.deployment,
      name,
      { ...outputs, ...args, ...identityInputs("RamdiskDeployment", name, options?.parent) },
      { deleteBeforeReplace: true, ...options, additionalSecretOutputs: secrets },
      "ironic",
      "RamdiskDeployment",
    );
  }
}
