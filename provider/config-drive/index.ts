import * as pulumi from "@pulumi/pulumi";
import type { DriveArgs } from "../drive/index.ts";
import { shells } from "../stack/index.ts";
import { SECRET_OUTPUTS } from "./secrets.ts";

/** Where values may be outputs: everywhere. */
type Inputs<T> = { [Key in keyof T]: pulumi.Input<pulumi.Unwrap<T[Key]> | undefined> | InputOf<T[Key]> };
type InputOf<T> = T extends object ? Inputs<T> | undefined : pulumi.Input<T> | undefined;

export interface ConfigDriveArgs extends Inputs<DriveArgs> {
  /** Name or UUID of the node whose ports give the MAC addresses. Another node replaces the resource. */
  node: pulumi.Input<string>;
}

/**
 * What the machine learns at first boot, as a config drive for cloud-init or Glean. MAC addresses are read from the
 * node's ports. Nothing is written to Ironic: a RamdiskDeployment sends `content`.
 *
 * All arguments update in place; another `node` replaces. Wrong arguments are refused at preview with their path.
 */
export class ConfigDrive extends pulumi.dynamic.Resource {
  declare readonly node: pulumi.Output<string>;
  /** What goes into RamdiskDeployment's `configDrive`: JSON text, base64 of a gzipped image, an address, or a reference. Secret. */
  declare readonly content: pulumi.Output<string>;
  /** Hash of what the drive holds, in hex. Secret. */
  declare readonly sha256: pulumi.Output<string>;
  /** `json` (Ironic makes the image), `iso`, or where a ready drive comes from. */
  declare readonly contentFormat: pulumi.Output<string>;
  /** Why this format was chosen. */
  declare readonly formatReason: pulumi.Output<string>;
  /** MAC addresses of the node's ports that the network uses. */
  declare readonly ports: pulumi.Output<string[]>;
  declare readonly drift: pulumi.Output<string | undefined>;

  constructor(name: string, args: ConfigDriveArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = {
      content: undefined,
      sha256: undefined,
      contentFormat: undefined,
      formatReason: undefined,
      ports: undefined,
      nodeUuid: undefined,
      drift: undefined,
    };
    super(
      shells["config-drive"],
      name,
      { ...outputs, ...args },
      {
        deleteBeforeReplace: true,
        ...options,
        additionalSecretOutputs: [...SECRET_OUTPUTS, ...(options?.additionalSecretOutputs ?? [])],
      },
      "ironic",
      "ConfigDrive",
    );
  }
}
