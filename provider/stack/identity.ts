/** What a program says of a resource's identity: which stack, which resource. */
import * as pulumi from "@pulumi/pulumi";
import { refusePlainSecrets } from "./provider.ts";
import { shells } from "./shells.ts";

/** The identity of this stack in the markers of nodes; one per stack, made before any node is touched. */
class StackIdentity extends pulumi.dynamic.Resource {
  declare readonly stackId: pulumi.Output<string>;

  constructor() {
    const configured = new pulumi.Config("ironic").get("stackId");
    const inputs = { configured, stackId: undefined };
    // Deleted first, it leaves its value to what replaces it.
    const options = { deleteBeforeReplace: true };
    super(shells["stack-identity"], "pulumi-ironic-identity", inputs, options, "ironic", "StackIdentity");
  }
}

// At module level: the classes that a program constructs share nothing else. An entry goes with its stack.
const identities = new WeakMap<object, StackIdentity>();
const withoutStack = {};

/** The identity of the stack that runs; an inline program of the automation API may run several stacks in one process. */
function stackIdOfProgram(): pulumi.Output<string> {
  const stack = pulumi.runtime.getStackResource() ?? withoutStack;
  const known = identities.get(stack);
  if (known) return known.stackId;
  refusePlainSecrets();
  const identity = new StackIdentity();
  identities.set(stack, identity);
  return identity.stackId;
}

const STACK_TYPE = "pulumi:pulumi:Stack";

/**
 * Qualified type and name as in the URN, `my:Cluster$ironic:RamdiskDeployment::worker`: what tells resources of one stack
 * apart. The provider never sees the URN. `parentUrn` is that of the parent, if it has one.
 */
export function resourceIdOf(type: string, name: string, parentUrn: string | undefined): string {
  // urn:pulumi:<stack>::<project>::<qualified type>::<name>; only the name may hold more of these colons.
  const parentType = parentUrn?.split("::")[2];
  const above = parentType === undefined || parentType === STACK_TYPE ? "" : `${parentType}$`;
  return `${above}ironic:${type}::${name}`;
}

/** An output without dependencies: one on a parent would make its child wait for all of its children. */
const bare = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => void output.apply(resolve));

/** The hidden inputs of every resource that holds a claim in Ironic. */
export interface IdentityInputs {
  stackId: pulumi.Input<string>;
  stackName: string;
  resourceId: pulumi.Input<string>;
  resourceName: string;
}

export function identityInputs(type: string, name: string, parent: pulumi.Resource | undefined): IdentityInputs {
  const resourceId =
    parent === undefined
      ? resourceIdOf(type, name, undefined)
      : bare(parent.urn).then((urn) => resourceIdOf(type, name, urn));
  return { stackId: stackIdOfProgram(), stackName: pulumi.getStack(), resourceId, resourceName: name };
}
