/**
 * The file for `pulumi import -f` (engine 3.254 and newer). `pulumi import TYPE NAME ID` cannot carry a dynamic
 * provider: the engine would read the resource before it knows the provider's code.
 */

import { ProblemError } from "../core/index.ts";
import { deploymentHandler, parseDeployment } from "../deployment/handler.ts";
import { type Call, type Props, type Services, versioned, withSecretsOfFiles } from "../plugin/index.ts";

export interface ImportArgs {
  /** Logical name that the resource has, or will have, in the program. */
  name: string;
  stackId: string;
  /** The stack's name, where it is known. */
  stackName?: string | undefined;
  node: string;
  /** The instance_uuid on the node, or `unclaimed`. */
  adopt: string;
  kernel?: string | undefined;
  ramdisk?: string | undefined;
  bootIso?: string | undefined;
  kernelArguments?: string | undefined;
  configDrive?: string | undefined;
}

/** Adopts the deployment on the node and describes it for the engine. Throws ProblemError or IronicError; nothing is written then. */
export async function importFile(args: ImportArgs, services: Services, call: Call): Promise<Props> {
  const { name, ...rest } = args;
  const given: Props = Object.fromEntries(
    Object.entries({ ...rest, resourceId: `ironic:RamdiskDeployment::${name}`, resourceName: name }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  const parsed = parseDeployment(given);
  if (parsed.kind === "failed")
    throw new ProblemError({
      problem: "The arguments do not describe a deployment. Describe what runs on the node:",
      failures: parsed.failures,
    });
  const { id, outs } = await deploymentHandler.create(given, services, call);
  const [{ runtime }, { shells }] = await Promise.all([import("@pulumi/pulumi"), import("../stack/index.ts")]);
  // Named as in the SDK's own function, so that the text is the one that the program will send.
  const provider = shells.deployment;
  const { text } = await runtime.serializeFunction(() => provider, { allowSecrets: true });
  // `adopt` counts at creation only; the resource that is imported exists.
  const { adopt: _word, ...described } = given;
  const inputs: Props = { ...described, __provider: text };
  const { secretOutputs } = deploymentHandler;
  return {
    resources: [
      {
        type: "pulumi-nodejs:dynamic/ironic:RamdiskDeployment",
        name,
        id,
        inputs: withSecretsOfFiles(inputs, secretOutputs),
        outputs: withSecretsOfFiles(
          versioned({ ...inputs, ...(JSON.parse(JSON.stringify(outs)) as Props) }),
          secretOutputs,
        ),
      },
    ],
  };
}
