#!/usr/bin/env node
/** The command `pulumi-ironic`: what a stack holds, and the file for `pulumi import` of a deployment. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  claimsTable,
  importFile,
  type ListedClaim,
  listClaims,
  namedOn,
  openOutput,
  parseExport,
  readImportOptions,
  readSettingsOptions,
  releaseClaims,
  type StackExport,
  sharedStackIds,
  stackIdsOf,
  stackNameOf,
} from "./commands/index.ts";
import {
  CancelledError,
  type Code,
  ProblemError,
  printable,
  printed,
  redact,
  systemClock,
  withCode,
} from "./core/index.ts";
import type { Call, Services } from "./plugin/index.ts";
import { servicesFor } from "./plugin/index.ts";
import { createRunContext } from "./run/index.ts";

const USAGE = `pulumi-ironic claims [options]        lists what stacks hold in Ironic
  --state FILE     output of \`pulumi stack export\` ("-" reads standard input): contains the stack id; shows what the state knows
  --stack-id ID    only this stack (output stackId of its StackIdentity); needed if no state has it any more
  --release        releases what the state does not know: undeploys (except what is to be kept), restores settings,
                   ends allocations. Needs --state (or --no-state after the stack was removed) and a stack id
  --stack-name     only what was marked under this stack name; needed to release where one stack id stands under several
  --no-state       with --release: there is no state any more; release all claims of the stack
  --node NODE      with --release: only on this node, name or UUID (may be repeated), also what nothing but a mark in
                   "extra" says to be the stack's
  --json           prints JSON

pulumi-ironic import NAME --node NODE --instance UUID|unclaimed (--kernel URL --ramdisk URL | --boot-iso URL) [options] --output FILE
                 adopts a running deployment (writes the claim) and makes the file for \`pulumi import -f FILE\`
  --output FILE    a new file that only you can read. Needed with a config drive; - is standard output, the default without
  --state FILE | --stack-id ID                         the stack's id: run \`pulumi up\` once before
  --kernel-arguments TEXT, --config-drive FILE         the same values as in the program
  --kernel-arguments-file FILE                         where they hold a secret

The connection comes from OS_CLOUD, OS_* and clouds.yaml, from --config ironic:KEY=VALUE (may be repeated) and from
--config-file FILE ("-" reads standard input) with lines "ironic:KEY: VALUE". Secrets are refused as arguments, as other users
see those.
`;

const OPTIONS = {
  state: { type: "string" },
  "stack-id": { type: "string" },
  release: { type: "boolean" },
  "no-state": { type: "boolean" },
  json: { type: "boolean" },
  "stack-name": { type: "string" },
  config: { type: "string", multiple: true },
  "config-file": { type: "string" },
  output: { type: "string" },
  node: { type: "string", multiple: true },
  instance: { type: "string" },
  kernel: { type: "string" },
  ramdisk: { type: "string" },
  "boot-iso": { type: "string" },
  "kernel-arguments": { type: "string" },
  "kernel-arguments-file": { type: "string" },
  "config-drive": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>["values"];

/** One for this process, so that whatever it says is without the secrets that it has read. */
const run = createRunContext({ clock: systemClock, random: Math.random, env: process.env });

/** Both are the last thing before the terminal. In JSON an escaped character stays what it is. */
const say = (text: string): void => void process.stdout.write(`${printable(text)}\n`);
const clean = (text: string): string => redact(text, [...run.secrets]);
const write = (text: string): void => void process.stderr.write(`${printable(text)}\n`);
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
  const { config: pairs = [], "config-file": file } = values;
  const settings = readSettingsOptions({ pairs, file, warn, secrets: run.secrets });
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

async function claims(values: Values): Promise<number> {
  const state = stateOf(values);
  const stackId = stackIdOf(values, state);
  if (values.node && !values.release)
    throw new ProblemError({
      code: "cli-usage",
      problem: "--node chooses what --release releases",
      advice: "See --help.",
    });
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
    const all = await listClaims(client, stackId, state);
    for (const { stackId, stackNames } of sharedStackIds(all))
      warn("stack-id-shared", severalNames(stackId, stackNames));
    const only = values["stack-name"];
    const found = only === undefined ? all : all.filter(({ stackName }) => stackName === only);
    if (values.json) say(JSON.stringify(found, null, 2));
    else say(found.length > 0 ? claimsTable(found) : "No claims.");
    if (!values.release) return 0;
    const unknown = found.filter(({ known }) => known !== true);
    const isNamed = namedOn(values.node ?? [], unknown);
    const chosen = values.node ? unknown.filter(isNamed) : unknown;
    refuseOtherNames(chosen, only ?? (state && stackNameOf(state)));
    const interrupted = interruption();
    const failed = await releaseClaims(chosen, shared, (label) => call(label, interrupted), write, clean, isNamed);
    return failed > 0 ? 1 : 0;
  } finally {
    await client.close();
  }
}

const severalNames = (stackId: string, names: readonly string[]): string =>
  `stack id ${stackId} stands on nodes under the stack names ${names.join(" and ")}. Either the stack was renamed, or several stacks have one ironic:stackId.`;

/** What another stack with the same id holds is in that one's state, if at all. */
function refuseOtherNames(claims: readonly ListedClaim[], own: string | undefined): void {
  const names = [...new Set(claims.flatMap(({ stackName }) => stackName ?? []))].sort();
  const [first, ...others] = names.filter((name) => name !== own);
  if (first === undefined || (own === undefined && others.length === 0)) return;
  throw new ProblemError({
    code: "cli-scope-unclear",
    problem: `What would be released stands under the stack name ${names.join(" and ")}${own === undefined ? "" : `, not only under ${own}`}: another stack may have the same id`,
    advice: "Nothing was released. If the stack was renamed, name the old name: --stack-name NAME.",
  });
}

async function importing(name: string | undefined, values: Values): Promise<number> {
  const { node: [node, ...others] = [], instance } = values;
  const state = stateOf(values);
  const stackId = stackIdOf(values, state);
  if (name === undefined || node === undefined || others.length > 0 || instance === undefined || stackId === undefined)
    throw new ProblemError({
      code: "cli-usage",
      problem: "import needs NAME, --node, --instance, and --state or --stack-id",
      advice: "See --help.",
    });
  // Before there is a connection: in closing it, another error would hide this one.
  const { secrets: holds, ...read } = readImportOptions(values);
  const shared = services(values);
  const output = openOutput({ file: values.output, holds, print: say });
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
        ...read,
      },
      shared,
      call(name, interruption()),
    );
    output.write(JSON.stringify(file, null, 2));
    return 0;
  } catch (error) {
    output.discard();
    throw error;
  } finally {
    await (await shared.client()).close();
  }
}

/** Standard input has one content. */
function refuseSharedInput(values: Values): void {
  const readers = (["state", "config-file", "config-drive", "kernel-arguments-file"] as const).filter(
    (option) => values[option] === "-",
  );
  if (readers.length > 1)
    throw new ProblemError({
      code: "cli-usage",
      problem: `${readers.map((option) => `--${option}`).join(" and ")} cannot both read standard input`,
      advice: "Use a file for one of them.",
    });
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const [command, name] = positionals;
  if (values.help || command === undefined) {
    say(USAGE);
    return values.help ? 0 : 2;
  }
  refuseSharedInput(values);
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
