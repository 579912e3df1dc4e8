/**
 * What follows when Ironic says that the object of a state could not be found. It says so as well of what it does not show to
 * the account that asks (ironic/api/controllers/v1/utils.py, check_node_policy_and_retrieve), of everything that is in another
 * Ironic, and a wrong cloud or a lost role looks the same. So that alone proves nothing.
 */
import * as z from "zod";
import { type Code, type IronicError, isAllocationGone, isHidden, isNodeGone, ProblemError } from "../core/index.ts";
import { type Client, field, type Here, type Place, seesAllNodes } from "../http/index.ts";
import type { Call, Props, Services } from "./handler.ts";

/** Where the resource of a state was made. Absent from states of which no request was made. */
const placeSchema: z.ZodType<Place> = z.object({
  endpoint: z.string(),
  scope: z.string(),
  region: z.string().optional(),
});

const placeIn = ({ connection }: Props): Place | undefined => placeSchema.safeParse(connection).data;

export const placeOf = ({ endpoint, scope, region }: Here): Place => ({
  endpoint,
  scope,
  ...(region !== undefined && { region }),
});

type Kind = "node" | "allocation";

/** Which of the state's objects `error` says is not to be found; `undefined` for any other error. */
function missingKind(error: unknown, { nodeUuid, node }: Props): Kind | undefined {
  if (isAllocationGone(error)) return "allocation";
  return isNodeGone(error) && (error as IronicError).node === (nodeUuid ?? node) ? "node" : undefined;
}

const CODES_OF = {
  node: { gone: "node-gone", hidden: "node-hidden" },
  allocation: { gone: "allocation-gone", hidden: "allocation-hidden" },
} as const satisfies Record<Kind, Record<"gone" | "hidden", Code>>;

function labelOf(kind: Kind, id: string, { nodeName, node, nodeUuid }: Props): string {
  if (kind === "allocation") return `Allocation ${id}`;
  const name = nodeName ?? node;
  return nodeUuid === undefined || name === nodeUuid ? `Node ${name}` : `Node ${name} (${nodeUuid})`;
}

/** Does the user say that what is missing is gone? */
export function forgetsMissing({ get }: Services): boolean {
  const mode = get("missingNodes") ?? "keep";
  if (mode === "keep" || mode === "forget") return mode === "forget";
  throw new ProblemError({
    code: "setting-invalid",
    problem: `ironic:missingNodes is "${mode}"`,
    advice: "Use keep or forget.",
  });
}

const text = ({ endpoint, region }: Place): string => `${endpoint}${region === undefined ? "" : ` (region ${region})`}`;

export const whoAsked = (here: Here): string => `Asked was ${text(here)} by ${here.account}`;

const nodeUuids = field.object({ nodes: field.list(field.object({ uuid: field.text })) });

async function seesAnyNode(client: Client, signal: AbortSignal): Promise<boolean> {
  try {
    const call = { operation: "see whether this account is shown any node", shape: nodeUuids, signal };
    return (await client.get("/nodes", { ...call, query: { limit: 1, fields: "uuid" } })).nodes.length > 0;
  } catch (error) {
    if (isHidden(error)) return false;
    throw error;
  }
}

/** Why it may be there nonetheless; `undefined` where it is gone. */
async function doubtOf(made: Place | undefined, client: Client, signal: AbortSignal): Promise<string | undefined> {
  const { here } = client;
  if (!made || !here) return "the state does not say where it was made";
  if (made.endpoint !== here.endpoint || made.region !== here.region) return `it was made at ${text(made)}`;
  if (made.scope !== here.scope) return `it was made with the scope ${made.scope}, and now the scope is ${here.scope}`;
  if (!seesAllNodes(here.scope)) return `with the scope ${here.scope}, Ironic does not show all nodes`;
  return (await seesAnyNode(client, signal)) ? undefined : "not one node is shown to this account";
}

/** How a user ends it; completes a message about something that is hidden. */
export const waysOut = ({ urn }: Call): string =>
  `Correct the connection or the account's project and roles, and run again. If it is gone for certain: \`pulumi state delete '${urn ?? "URN"}'\`, or, for all that is missing, \`pulumi config set ironic:missingNodes forget\` (of an explicit Provider: \`missingNodes\`) and \`pulumi up\`.`;

interface Verdict {
  gone: boolean;
  code: Code;
  problem: string;
}

/** What became of the object of the state `props`; `undefined` where `error` does not say that it is missing. */
export async function verdictOn(
  error: unknown,
  id: string,
  props: Props,
  services: Services,
  call: Call,
): Promise<Verdict | undefined> {
  const kind = missingKind(error, props);
  if (!kind) return undefined;
  const label = labelOf(kind, id, props);
  const client = await services.client();
  const forgotten = forgetsMissing(services);
  const doubt = forgotten ? undefined : await doubtOf(placeIn(props), client, call.signal);
  const by = client.here ? `. ${whoAsked(client.here)}` : "";
  if (doubt === undefined)
    return {
      gone: true,
      code: CODES_OF[kind].gone,
      problem: `${label} is gone, and leaves the state${forgotten ? ", as `ironic:missingNodes` is forget" : ""}${by}`,
    };
  return {
    gone: false,
    code: CODES_OF[kind].hidden,
    problem: `${label} could not be found, says Ironic, and that may mean that it is only hidden: ${doubt}${by}`,
  };
}
