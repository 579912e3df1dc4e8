// The figures as text.
import type { Outcome } from "./clients.ts";
import type { Figures, LoggedRequest, Span } from "./ironic-log.ts";

export interface Row {
  name: string;
  /** Short name of who shows how fast it could be at best: everybody is divided by that. */
  bound?: string | undefined;
  rounds: (Figures & Outcome)[];
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Columns as wide as their widest cell. */
function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

const number = (value: number, digits = 2): string => (Number.isFinite(value) ? value.toFixed(digits) : "-");

const ratio = (figures: Figures, bound: Figures | undefined): number =>
  figures.seconds / (bound?.seconds ?? Number.NaN);

export function table(rows: readonly Row[]): string[] {
  // Each round against the raw requests of the same round: a machine's speed drifts by more than what is to be seen.
  const bounds = rows.filter(({ bound }) => bound !== undefined);
  const head = [
    "",
    "s to all",
    ...bounds.map(({ bound }) => `÷ ${bound}`),
    "s active",
    "noticed p50",
    "p95",
    "requests/node",
    "polls",
    "failures",
    "MiB",
  ];
  const body = rows.map(({ name, rounds }) => {
    const of = (pick: (figures: Figures & Outcome) => number) => median(rounds.map(pick));
    return [
      name,
      number(of((figures) => figures.seconds)),
      ...bounds.map((other) => number(median(rounds.map((figures, round) => ratio(figures, other.rounds[round]))))),
      number(of((figures) => figures.activeSeconds)),
      number(of((figures) => figures.noticedMedian)),
      number(of((figures) => figures.noticedP95)),
      number(
        of((figures) => figures.requestsPerNode),
        1,
      ),
      number(
        of((figures) => figures.polls),
        0,
      ),
      String(rounds.reduce((sum, { errors }) => sum + errors.length, 0)),
      number(
        of((figures) => figures.peakMib ?? Number.NaN),
        0,
      ),
    ];
  });
  return ["", ...aligned([head, ...body])];
}

/** A request without what differs from node to node. */
const shapeOf = ({ method, path }: LoggedRequest): string => {
  const [bare = "", query] = path.split("?");
  const general = bare.replace(/^\/v1\/(\w+)\/[^/]+/, "/v1/$1/{}");
  return `${method} ${general}${query === undefined ? "" : " ?…"}`;
};

/** Requests of a run with all sorts of resources, by what was asked. */
export function breakdown({ requests }: Span, nodes: number): string[] {
  const counts = new Map<string, number>();
  for (const request of requests) counts.set(shapeOf(request), (counts.get(shapeOf(request)) ?? 0) + 1);
  const lines = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([shape, count]) => [shape, String(count), number(count / nodes, 1)]);
  const title = "BaremetalNodeConfig, ConfigDrive and RamdiskDeployment";
  return ["", ...aligned([[title, "requests", "per node"], ...lines])];
}

export function stormTable(
  storms: readonly { name: string; up: Figures & Outcome; down: { seconds: number; errors: string[] } }[],
  nodes: number,
): string[] {
  const head = [`${nodes} nodes at once`, "active", "errors", "s to all", "requests/node", "undeploy errors", "s"];
  const body = storms.map(({ name, up, down }) => [
    name,
    `${up.active} of ${nodes}`,
    String(up.errors.length),
    number(up.seconds),
    number(up.requestsPerNode, 1),
    String(down.errors.length),
    number(down.seconds),
  ]);
  return ["", ...aligned([head, ...body])];
}
