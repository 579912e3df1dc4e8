import * as pulumi from "@pulumi/pulumi";
import { refusePlainSecrets } from "./provider.ts";
import { shells } from "./shells.ts";

/** The identity by which nodes know this stack; one per stack, made before any node is touched. */
export class Owner extends pulumi.dynamic.Resource {
  declare readonly owner: pulumi.Output<string>;

  constructor() {
    const configured = new pulumi.Config("ironic").get("owner");
    super(shells.owner, "pulumi-ironic-owner", { configured, owner: undefined }, {}, "ironic", "Owner");
  }
}

const owners = new WeakMap<object, Owner>();
const withoutStack = {};

/** The owner of the stack that runs; an inline program of the automation API may run several stacks in one process. */
export function ownerOfStack(): pulumi.Output<string> {
  const stack = pulumi.runtime.getStackResource() ?? withoutStack;
  const known = owners.get(stack);
  if (known) return known.owner;
  refusePlainSecrets();
  const owner = new Owner();
  owners.set(stack, owner);
  return owner.owner;
}

export { Provider, type ProviderArgs } from "./provider.ts";
export { shells } from "./shells.ts";
