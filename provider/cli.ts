#!/usr/bin/env node
/** The command `pulumi-ironic`: what a stack holds, and the file for taking a deployment over with `pulumi import`. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  importFile,
  type ListedClaim,
  listClaims,
  parseExport,
  releaseClaims,
  type StackExport,
  stackIdsOf,
  stackNameOf,
} from "./commands/index.ts";
import { ProblemError, redact, systemClock } from "./core/index.ts";
import type { Call, Services } from "./plugin/index.ts";
import { servicesFor } from "./plugin/index.ts";
import { createRunContext } from "./run/index.ts";

const USAGE = `pulumi-ironic claims [options]        lists what stacks hold in Ironic
  --state FILE     output of \`pulumi stack export\` ("-" reads standard input): gives the stack's identity, and what it knows
  --stack-id ID    only this stack (output stackId of its StackIdentity); needed where the state has none any more
  --release        releases what the state does not know: undeploys all but what was to be kept, restores settings, ends
                   allocations. Needs --state (or --no-state after the stack was removed) and a stack
  --no-state       with --release: there is no state any more, release all of the stack's
  --json           prints JSON

pulumi-ironic import NAME --node NODE --instance UUID|unclaimed (--kernel URL --ramdisk URL | --boot-iso URL) [options] > FILE
                 takes a running deployment under management (writes the claim) and prints the file for \`pulumi import -f FILE\`
  --state FILE | --stack-id ID                         the stack's identity: run \`pulumi up\` once before
  --kernel-arguments TEXT, --config-drive FILE         as the program says them

The connection comes from OS_CLOUD, OS_* and clouds.yaml, or from --config ironic:KEY=VALUE (may be repeated).
`;

const OPTIONS = {
  state: { type: "string" },
  "stack-id": { type: "string" },
  release: { type: "boolean" },
  "no-state": { type: "boolean" },
  json: { type: "boolean" },
  config: { type: "string", multiple: true },
  node: { type: "string" },
  instance: { type: "string" },
  kernel: { type: "string" },
  ramdisk: { type: "string" },
  "boot-iso": { type: "string" },
  "kernel-arguments": { type: "string" },
  "config-drive": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>["values"];

/** One for this process, so that whatever it says is without the secrets that it has read. */
const run = createRunContext({ clock: systemClock, random: Math.random, env: process.env });

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${redact(text, [...run.secrets])}\n`);

function stateOf(values: Values): StackExport | undefined {
  if (values.state === undefined) return undefined;
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(values.state === "-" ? 0 : values.state, "utf8"));
  } catch (cause) {
    throw new ProblemError({
      problem: `The state ${values.state} cannot be read`,
      advice: "Give the output of `pulumi stack export`.",
      cause,
    });
  }
  return parseExport(raw);
}

function driveOf({ "config-drive": file }: Values): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new ProblemError({
      problem: `The config drive ${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      advice: "--config-drive takes a file with the content that the program gives.",
      cause,
    });
  }
}

function stackIdOf(values: Values, state: StackExport | undefined): string | undefined {
  const given = values["stack-id"];
  const known = state ? stackIdsOf(state) : [];
  if (given !== undefined && known.length > 0 && !known.includes(given))
    throw new ProblemError({
      problem: "--stack-id is not the stack's identity in the state",
      advice: "Leave one of the two out.",
    });
  return given ?? known[0];
}

function services(values: Values): Services {
  const settings = new Map(
    (values.config ?? []).map((pair) => {
      const split = pair.indexOf("=");
      if (split < 1) throw new ProblemError({ problem: "--config takes ironic:KEY=VALUE", advice: "See --help." });
      return [pair.slice(0, split), pair.slice(split + 1)] as const;
    }),
  );
  return servicesFor(run, { config: { get: (key) => settings.get(key) } }, complain);
}

/** One Ctrl-C ends what is waited for, and whatever was to follow. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  return controller.signal;
}

function call(label: string, signal: AbortSignal): Call {
  return {
    signal,
    progress: (text) => complain(`${label}: ${text}`),
    warn: (text) => complain(`warning: ${text}`),
  };
}

const KNOWN = { true: "yes", false: "NO", undefined: "?" } as const;
const COLUMNS: [string, (claim: ListedClaim) => string][] = [
  ["KIND", ({ kind }) => kind],
  ["NODE", ({ node }) => node],
  ["RESOURCE", ({ resourceName: resource }) => resource],
  ["STATE", ({ provisionState }) => provisionState],
  ["INSTANCE", ({ instanceUuid }) => instanceUuid],
  ["STACK", ({ stackName, stackId }) => (stackName ? `${stackName} (${stackId})` : stackId)],
  ["IN STATE", ({ known }) => KNOWN[`${known}`]],
];

function table(claims: ListedClaim[]): string {
  const rows = [COLUMNS.map(([title]) => title), ...claims.map((claim) => COLUMNS.map(([, cell]) => cell(claim)))];
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

async function claims(values: Values): Promise<number> {
  const state = stateOf(values);
  const stackId = stackIdOf(values, state);
  if (values.release && stackId === undefined)
    throw new ProblemError({
      problem: "It is not clear whose claims to release",
      advice: "Give --stack-id, or a --state that holds the stack's StackIdentity.",
    });
  if (values.release && !state && !values["no-state"])
    throw new ProblemError({
      problem: "Without the state it is not known which claims are still in use",
      advice: "Give --state, or --no-state if the stack was removed.",
    });
  const shared = services(values);
  const client = await shared.client();
  try {
    const found = await listClaims(client, stackId, state);
    if (values.json) say(JSON.stringify(found, null, 2));
    else say(found.length > 0 ? table(found) : "No claims.");
    if (!values.release) return 0;
    const unknown = found.filter(({ known }) => known !== true);
    const interrupted = interruption();
    const failed = await releaseClaims(unknown, shared, (label) => call(label, interrupted), complain);
    return failed > 0 ? 1 : 0;
  } finally {
    await client.close();
  }
}

async function importing(name: string | undefined, values: Values): Promise<number> {
  const { node, instance } = values;
  const state = stateOf(values);
  const stackId = stackIdOf(values, state);
  if (name === undefined || node === undefined || instance === undefined || stackId === undefined)
    throw new ProblemError({
      problem: "import needs NAME, --node, --instance, and --state or --stack-id",
      advice: "See --help.",
    });
  // Before there is a connection: in closing it, another error would hide this one.
  const configDrive = driveOf(values);
  const shared = services(values);
  try {
    const file = await importFile(
      {
        name,
        stackId,
        stackName: state && stackNameOf(state),
        node,
        adopt: instance,
        kernel: values.kernel,
        ramdisk: values.ramdisk,
        bootIso: values["boot-iso"],
        kernelArguments: values["kernel-arguments"],
        configDrive,
      },
      shared,
      call(name, interruption()),
    );
    say(JSON.stringify(file, null, 2));
    return 0;
  } finally {
    await (await shared.client()).close();
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const [command, name] = positionals;
  if (values.help || command === undefined) {
    say(USAGE);
    return values.help ? 0 : 2;
  }
  if (command === "claims") return claims(values);
  if (command === "import") return importing(name, values);
  throw new ProblemError({
    problem: `There is no command ${command}`,
    advice: "There are claims and import; see --help.",
  });
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    complain(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
  },
);
