/** What the tests of a deployment's verbs begin with. */
import type { Node } from "../../provider/node/node.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { INPUTS, scene } from "../fakes/deployments.ts";
import type { World, WorldOptions } from "../fakes/world.ts";

export const made = async (node: Partial<Node> = {}, inputs: Props = INPUTS, options: WorldOptions = {}) => {
  const w = scene(node, options);
  const first = await w.made(undefined, inputs);
  w.asked();
  return { w, first };
};

export const deployed = async (
  fields: Partial<Node> = {},
  inputs: Props = INPUTS,
): Promise<{ w: World; first: Stored }> => {
  const w = scene(fields);
  const first = await w.made(undefined, inputs);
  w.asked();
  w.client.writes.length = 0;
  return { w, first };
};
export const verbs = ({ client }: World): string[] =>
  client.writes.map(({ method, body }) => (body as { target?: string } | undefined)?.target ?? method);
