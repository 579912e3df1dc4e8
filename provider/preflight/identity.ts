import type { ResourceIdentity } from "../node/index.ts";
import { type Draft, known } from "../schema/index.ts";

/** Whose `props` are. What is not known yet is empty, which is nobody's. */
export const knownIdentity = (props: Draft<ResourceIdentity>): ResourceIdentity => ({
  stackId: known(props.stackId) ?? "",
  stackName: known(props.stackName),
  resourceId: known(props.resourceId) ?? "",
  resourceName: known(props.resourceName) ?? "",
});
