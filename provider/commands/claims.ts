/** What one stack, or all of them, hold in an Ironic, and the release of what no state knows. */
import * as z from "zod";
import { endAllocation } from "../allocation/handler.ts";
import { type Clean, isHidden, ProblemError, printableName, printed, withCode } from "../core/index.ts";
import { release } from "../deployment/handler.ts";
import type { Client } from "../http/index.ts";
import { pageOf, readPages } from "../http/index.ts";
import {
  allocationPage,
  configMarker,
  deploymentMarker,
  fieldsOf,
  type GivenBack,
  identityMark,
  identityOf,
  type ListedAllocation,
  listedAllocationSchema,
  nodeSchema,
  type ResourceIdentity,
  stateName,
} from "../node/index.ts";
import { restoreByMark } from "../node-config/handler.ts";
import type { Call, Services } from "../plugin/index.ts";
import { describeFailure, failuresIn } from "../schema/index.ts";
import { isConfirmedAllocation, isConfirmedDeployment } from "./confirmation.ts";

/** One thing of a stack's in Ironic. */
export interface ListedClaim extends ResourceIdentity {
  kind: "deployment" | "node config" | "allocation";
  /** Node name, or UUID where it has none; empty for an allocation without a node. */
  node: string;
  nodeUuid: string;
  instanceUuid: string;
  provisionState: string;
  /** The machine is to stay as it is when the claim goes. */
  keep?: boolean;
  /** Of deployments and allocations: does more than a mark, which many may write, say that it is the stack's? */
  confirmed?: boolean;
  /** Is there a resource for it in the given state? Undefined when no state was given. */
  known?: boolean;
}

const claimedNodeSchema = nodeSchema.pick({
  uuid: true,
  name: true,
  provision_state: true,
  instance_uuid: true,
  extra: true,
});
type ClaimedNode = z.infer<typeof claimedNodeSchema>;
const nodePage = pageOf("nodes", claimedNodeSchema);
const LIMIT = 1_000;

const readNodes = (client: Client): Promise<ClaimedNode[]> => {
  const query = { fields: fieldsOf(claimedNodeSchema).join(","), limit: LIMIT };
  return readPages(client, "/nodes", nodePage, { operation: "list the nodes", query });
};

async function readAllocations(client: Client): Promise<ListedAllocation[]> {
  if (!(await client.supports("allocations"))) return [];
  try {
    const query = { fields: fieldsOf(listedAllocationSchema).join(","), limit: LIMIT };
    return await readPages(client, "/allocations", allocationPage, { operation: "list the allocations", query });
  } catch (error) {
    if (isHidden(error)) return [];
    throw error;
  }
}

const exportSchema = z.object({
  deployment: z
    .object({
      resources: z
        .array(
          z.object({
            type: z.string(),
            urn: z.string().optional(),
            id: z.string().optional(),
            outputs: z.record(z.string(), z.unknown()).optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});

/** The parts of `pulumi stack export` that matter here. */
export type StackExport = z.infer<typeof exportSchema>;

/** `raw` as `pulumi stack export` prints it. Throws a ProblemError that names what is not so. */
export function parseExport(raw: unknown): StackExport {
  const result = exportSchema.safeParse(raw);
  if (result.success) return result.data;
  throw new ProblemError({
    code: "cli-usage",
    problem: `This is not an exported stack: ${failuresIn(exportSchema, raw).map(describeFailure).join("; ")}`,
    advice: "Use the output of `pulumi stack export`.",
  });
}

const TYPE = "pulumi-nodejs:dynamic/ironic:";

export const stackIdsOf = (state: StackExport): string[] =>
  (state.deployment?.resources ?? [])
    .filter(({ type }) => type === `${TYPE}StackIdentity`)
    .flatMap(({ outputs }) => (typeof outputs?.stackId === "string" ? [outputs.stackId] : []));

/** Name of the exported stack, as its resources' URNs have it. */
export const stackNameOf = (state: StackExport): string | undefined =>
  state.deployment?.resources?.find(({ urn }) => urn !== undefined)?.urn?.split(/::?/)[2];

/** What identifies a claim, as the state and the node both know it. */
const keysOf = (state: StackExport): Set<string> =>
  new Set(
    (state.deployment?.resources ?? []).flatMap(({ type, id, outputs }) => {
      if (type === `${TYPE}RamdiskDeployment`) return [`deployment ${String(outputs?.instanceUuid)}`];
      if (type === `${TYPE}BaremetalNodeConfig`) return [`node config ${String(outputs?.nodeUuid)}`];
      return type === `${TYPE}NodeAllocation` ? [`allocation ${id}`] : [];
    }),
  );

const keyOf = ({ kind, nodeUuid, instanceUuid }: ListedClaim): string =>
  `${kind} ${kind === "node config" ? nodeUuid : instanceUuid}`;

/** `own`: the stack's allocations, by its id. */
function claimsOn(node: ClaimedNode, own: (stackId: string) => ListedAllocation[]): ListedClaim[] {
  const base = { node: node.name ?? node.uuid, nodeUuid: node.uuid, provisionState: stateName(node.provision_state) };
  const deployment = deploymentMarker(node);
  const config = configMarker(node);
  return [
    ...(deployment
      ? [
          {
            ...base,
            kind: "deployment" as const,
            ...identityOf(deployment),
            instanceUuid: deployment.instanceUuid,
            confirmed: isConfirmedDeployment(node, deployment, own(deployment.stackId)),
            ...(deployment.keep && { keep: true }),
          },
        ]
      : []),
    ...(config
      ? [
          {
            ...base,
            kind: "node config" as const,
            ...identityOf(config),
            instanceUuid: node.instance_uuid ?? "",
          },
        ]
      : []),
  ];
}

function claimOf(allocation: ListedAllocation, nodes: readonly ClaimedNode[]): ListedClaim[] {
  const { uuid, node_uuid, state } = allocation;
  const mark = identityMark(allocation);
  if (!mark) return [];
  const node = node_uuid ?? "";
  return [
    {
      kind: "allocation",
      ...identityOf(mark),
      node,
      nodeUuid: node,
      instanceUuid: uuid,
      provisionState: state ?? "",
      confirmed: isConfirmedAllocation(allocation, mark, nodes),
    },
  ];
}

/** All claims, of the stack `stackId` alone if given, deployments first: that is the order in which they can be released. */
export async function listClaims(
  client: Client,
  stackId: string | undefined,
  state: StackExport | undefined,
): Promise<ListedClaim[]> {
  const [nodes, allocations] = await Promise.all([readNodes(client), readAllocations(client)]);
  const known = state && keysOf(state);
  const order = ["deployment", "allocation", "node config"];
  const own = (stackId: string) =>
    allocations.filter((each) => {
      const mark = identityMark(each);
      return mark?.stackId === stackId && isConfirmedAllocation(each, mark, nodes);
    });
  return [
    ...nodes.flatMap((node) => claimsOn(node, own)),
    ...allocations.flatMap((allocation) => claimOf(allocation, nodes)),
  ]
    .filter((claim) => stackId === undefined || claim.stackId === stackId)
    .map((claim) => ({ ...claim, ...(known && { known: known.has(keyOf(claim)) }) }))
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || (a.node < b.node ? -1 : 1));
}

/**
 * Gives one claim up as destroying its resource would: undeploys what is not to be kept, restores settings, ends the allocation.
 * `isNamed`: the person who runs the command has named the node.
 */
export async function releaseClaim(
  claim: ListedClaim,
  services: Services,
  call: Call,
  isNamed = false,
): Promise<GivenBack> {
  const { nodeUuid, instanceUuid } = claim;
  const identity = identityOf(claim);
  if (claim.kind === "deployment")
    return release(
      { ...identity, nodeUuid, instanceUuid, onDestroy: claim.keep ? "keep" : "undeploy" },
      services,
      call,
      isNamed ? "command line" : claim.confirmed ? "instance" : "marker",
    );
  if (claim.kind === "node config") return restoreByMark({ ...identity, nodeUuid }, services, call);
  if (!isNamed && !claim.confirmed) throw unconfirmedAllocation(claim);
  return endAllocation(instanceUuid, services, call);
}

/**
 * Gives `claims` up in their order, tells how each of it went, and counts those that stay. `clean` removes secrets. `isNamed`
 * tells whose node the command line names.
 */
export async function releaseClaims(
  claims: readonly ListedClaim[],
  services: Services,
  callFor: (label: string) => Call,
  tell: (text: string) => void,
  clean: Clean = (text) => text,
  isNamed: (claim: ListedClaim) => boolean = () => false,
): Promise<number> {
  const stuck = new Set<string>();
  let failed = 0;
  for (const claim of claims) {
    const label = printableName(`${claim.kind} ${claim.resourceName} on ${claim.node}`);
    const call = callFor(label);
    if (call.signal.aborted) break;
    try {
      if (stuck.has(claim.nodeUuid)) throw underDeployment();
      const givenBack = await releaseClaim(claim, services, call, isNamed(claim));
      if (givenBack.did === "left") failed++;
      tell(`${TOLD[givenBack.did]}: ${clean(label)}${reasonOf(givenBack, clean)}`);
    } catch (error) {
      failed++;
      if (claim.kind === "deployment") stuck.add(claim.nodeUuid);
      tell(`Not released: ${clean(label)}: ${printed(error, clean)}`);
    }
  }
  return failed;
}

const unconfirmedAllocation = ({ instanceUuid, node }: ListedClaim): ProblemError =>
  new ProblemError({
    code: "claim-unconfirmed",
    problem: `Only its mark, which others may write, says that allocation ${instanceUuid} is this stack's: its UUID does not follow from stack, resource and what it asks for. Nothing was written`,
    advice: `If it is this stack's: \`baremetal allocation delete ${instanceUuid}\`${node ? `, or run the command again with \`--node ${node}\`` : ""}.`,
  });

const TOLD = {
  released: "Released",
  nothing: "Nothing to release",
  left: "Not released",
} as const satisfies Record<GivenBack["did"], string>;

function reasonOf(givenBack: GivenBack, clean: Clean): string {
  if (givenBack.did === "released") return "";
  const why = clean(givenBack.why);
  return `: ${givenBack.did === "left" ? withCode(why, givenBack.code) : why}`;
}

/** A machine that still runs needs them: without its instance_uuid its holder would be unknown. */
const underDeployment = (): ProblemError =>
  new ProblemError({
    code: "claim-not-released",
    problem: "The deployment on its node was not released",
    advice: "Resolve that one first, then run this again.",
  });
