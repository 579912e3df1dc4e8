/** Claims as text for people. */
import { printableName } from "../core/index.ts";
import type { ListedClaim } from "./claims.ts";

const KNOWN = { true: "yes", false: "no", undefined: "?" } as const;
const COLUMNS: [string, (claim: ListedClaim) => string][] = [
  ["KIND", ({ kind }) => kind],
  ["NODE", ({ node }) => node],
  ["RESOURCE", ({ resourceName: resource }) => resource],
  ["PROVISION STATE", ({ provisionState }) => provisionState],
  ["INSTANCE", ({ instanceUuid }) => instanceUuid],
  ["STACK", ({ stackName, stackId }) => (stackName ? `${stackName} (${stackId})` : stackId)],
  ["IN STATE", ({ known }) => KNOWN[`${known}`]],
];

export function claimsTable(claims: readonly ListedClaim[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...claims.map((claim) => COLUMNS.map(([, cell]) => printableName(cell(claim)))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Stack ids that stand under several stack names: a renamed stack, or stacks that share one id. */
export function sharedStackIds(claims: readonly ListedClaim[]): { stackId: string; stackNames: string[] }[] {
  const names = new Map<string, Set<string>>();
  for (const { stackId, stackName } of claims) {
    if (stackName) names.set(stackId, (names.get(stackId) ?? new Set()).add(stackName));
  }
  return [...names]
    .filter(([, { size }]) => size > 1)
    .map(([stackId, set]) => ({ stackId, stackNames: [...set].sort() }));
}
