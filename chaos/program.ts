// The program that a chaos run gives to the engine: what it makes stands in CHAOS_PROGRAM.
import * as ironic from "pulumi-ironic";
import type { Program } from "./plan.ts";

const { machines } = JSON.parse(process.env.CHAOS_PROGRAM ?? '{"machines":[]}') as Program;

for (const { node, settings, config, deployment } of machines) {
  const configured = settings === "none" ? undefined : new ironic.BaremetalNodeConfig(node, { node, ...config });
  new ironic.RamdiskDeployment(node, {
    node: settings === "chained" && configured ? configured.node : node,
    ...deployment,
  } as ironic.RamdiskDeploymentArgs);
}
