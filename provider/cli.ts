#!/usr/bin/env node
/** The command `pulumi-ironic`: what a stack holds, and the file for `pulumi import` of a deployment. */
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
import { CancelledError, type Code, ProblemError, printed, redact, systemClock, withCode } from "./core/index.ts";
import type { Call, Services } from "./plugin/index.ts";
import { servicesFor } from "./plugin/index.ts";
import { createRunContext } from "./run/index.ts";

const USAGE = `pulumi-ironic claims [options]        lists what stacks hold in Ironic
  --state FILE     output of \`pulumi stack export\` ("-" reads standard input): contains the stack id; shows what the state knows
  --stack-id ID    only this stack (output stackId of its StackIdentity); needed if no state has it any more
  --release        releases what the state does not know: undeploys (except what is to be kept), restores settings,
                   ends allocations. Needs --state (or --no-state after the stack was removed) and a stack id
  --no-state       with --release: there is no state any more; release all claims of the stack
  --json           prints JSON

pulumi-ironic import NAME --node NODE --instance UUID|unclaimed (--kernel URL --ramdisk URL | --boot-iso URL) [options] > FILE
                 adopts a running deployment (writes the claim) and prints the file for \`pulumi import -f FILE\`
  --state FILE | --stack-id ID                         the stack's id: run \`pulumi up\` once before
  --kernel-arguments TEXT, --config-drive FILE         the same values as in the program

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
const clean = (text: string): string => redact(text, [...run.secrets]);
const write = (text: string): void => void process.stderr.write(`${text}\n`);
const complain = (text: string): void => write(clean(text));
const warn = (code: Code, text: string): void => write(withCode(clean(`warning: ${text}`), code));

function stateOf(values: Values): StackExport | undefined {
  if (values.state === undefined) return undefined;
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(values.state === "-" ? 0 : values.state, "utf8"));
  } catch (cause) {
    throw new ProblemError({
      code: "cli-usage",
      problem: `The state ${values.state} cannot be read`,
      advice: "Use the output of `pulumi stack export`.",
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
      code: "config-drive-unreadable",
      problem: `The config drive ${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      advice: "--config-drive expects a file with the same content as in the program.",
      cause,
    });
  }
}

function stackIdOf(values: Values, state: StackExport | undefined): string | undefined {
  const given = values["stack-id"];
  const known = state ? stackIdsOf(state) : [];
  if (given !== undefined && known.length > 0 && !known.includes(given))
    throw new ProblemError({
      code: "cli-scope-unclear",
      problem: "--stack-id is not the stack id in the state",
      advice: "Use only one of --stack-id and --state.",
    });
  return given ?? known[0];
}

function services(values: Values): Services {
  const settings = new Map(
    (values.config ?? []).map((pair) => {
      const split = pair.indexOf("=");
      if (split < 1)
        throw new ProblemError({
          code: "cli-usage",
          problem: "--config expects ironic:KEY=VALUE",
          advice: "See --help.",
        });
      return [pair.slice(0, split), pair.slice(split + 1)] as const;
    }),
  );
  return servicesFor(run, { config: { get: (key) => settings.get(key) } }, warn);
}

/** Ctrl-C ends the waiting and the steps after it. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort(new CancelledError()));
  return controller.signal;
}

function call(label: string, signal: AbortSignal): Call {
  return {
    signal,
    progress: (text) => complain(`${label}: ${text}`),
    warn,
  };
}

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
      code: "cli-scope-unclear",
      problem: "It is not known which stack's claims to release",
      advice: "Use --stack-id, or a --state that contains the stack's StackIdentity resource.",
    });
  if (values.release && !state && !values["no-state"])
    throw new ProblemError({
      code: "cli-scope-unclear",
      problem: "Without the state it is not known which claims are still in use",
      advice: "Use --state, or --no-state if the stack was removed.",
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
    const failed = await releaseClaims(unknown, shared, (label) => call(label, interrupted), write, clean);
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
      code: "cli-usage",
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
    code: "cli-usage",
    problem: `There is no command ${command}`,
    advice: "The commands are claims and import; see --help.",
  });
}

/** What Node's parser of arguments throws. */
const isUsageError = (error: unknown): error is Error =>
  error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    write(isUsageError(error) ? withCode(clean(error.message), "cli-usage") : printed(error, clean));
    process.exitCode = 2;
  },
);
