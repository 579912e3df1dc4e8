/** The version of what a state holds of a resource: an output of each, which handlers never see. */
import { ProblemError } from "../core/index.ts";
import type { Props } from "./handler.ts";

const STATE_VERSION = 1;

export const versioned = (outs: Props): Props => ({ ...outs, version: STATE_VERSION });

/**
 * What handlers get of a state's outputs. A state of a newer version is not touched, in no call: what it means is not known.
 * @throws ProblemError
 */
export function unversioned(outs: Props): Props {
  const { version, ...rest } = outs;
  if (version === undefined || version === STATE_VERSION) return rest;
  throw new ProblemError({
    code: "state-unusable",
    problem: `The state of this resource has version ${version}; this pulumi-ironic knows only version ${STATE_VERSION}`,
    advice: "Nothing was touched. Use the newer pulumi-ironic that wrote the state.",
  });
}
