// npm run matrix: network descriptions × readers that nobody here wrote. Prints the table, writes docs/config-drive-matrix.md,
// and fails on a difference that is not explained in differences.ts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../lab/processes.ts";
import { canonicalJson } from "../provider/core/json.ts";
import { buildDrive, type DriveArgs } from "../provider/drive/drive.ts";
import { cardName, cases, portGroups, ports, type RawCase, rawCases } from "./cases.ts";
import { type CloudInitResult, pictureOfCloudInit } from "./cloud-init.ts";
import { explanations } from "./differences.ts";
import { type Distro, type GleanResult, pictureOfGlean } from "./glean.ts";
import { differences, expected, type Picture } from "./picture.ts";
import { ensureReaders, type Readers } from "./tools.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const here = dirname(fileURLToPath(import.meta.url));
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMatrixMatrixMatrixMatrixMatrixMatrixMatrix matrix";
const USER_DATA = "#cloud-config\nruncmd: [true]\n";
const NODE = { nodeName: "node-1", nodeUuid: "11111111-1111-4111-8111-111111111111" };
const facts = { ports, portGroups, ...NODE, supportsJson: true, supportsVendorData: true };
const cards = Object.fromEntries(ports.map(({ address }, index) => [cardName(index), address]));
const DISTROS: Record<string, Distro> = {
  "Glean Debian": "debian",
  "Glean Red Hat": "redhat",
  "Glean networkd": "networkd",
};

interface IronicVerdict {
  schema: string[];
  built: Record<string, string>;
  ours: Record<string, string>;
  jsonKept: boolean;
  isoKept: boolean;
  rebuilt: string[];
}
interface ReaderVerdict {
  cloudInitJson: CloudInitResult;
  cloudInitIso: CloudInitResult;
  glean: Record<Distro, GleanResult>;
  gleanJson: Record<Distro, GleanResult>;
}

/** Column → what is wrong; an empty list is agreement. */
type Row = Record<string, string[]>;

const drivesOf = (args: Pick<DriveArgs, "network" | "networkData">) => {
  const whole: DriveArgs = { metaData: { hostname: "worker-1", publicKeys: [KEY] }, userData: USER_DATA, ...args };
  const [json, iso] = (["json", "iso"] as const).map((format) => buildDrive({ ...whole, format }, facts).content);
  return { json: json ?? "", iso: iso ?? "" };
};

const text = (base64: string | undefined): string => Buffer.from(base64 ?? "", "base64").toString("utf8");
const same = (path: string, a: string | undefined, b: string | undefined): boolean =>
  path.endsWith(".json")
    ? canonicalJson(JSON.parse(text(a) || "null")) === canonicalJson(JSON.parse(text(b) || "null"))
    : a === b;

/** Whether Ironic's drive from our JSON and our own image hold the same. */
function compareFiles({ built, ours }: IronicVerdict): string[] {
  const paths = [...new Set([...Object.keys(built), ...Object.keys(ours)])];
  return paths.filter((path) => !same(path, built[path], ours[path])).map((path) => `${path} differs`);
}

function compareCloudInit(wanted: Picture, found: CloudInitResult): string[] {
  if (found.error !== undefined) return [found.error];
  const lines = differences(wanted, pictureOfCloudInit(found));
  if (found.metadata?.["local-hostname"] !== "worker-1") lines.push("the host name differs");
  if (found.metadata?.["instance-id"] !== NODE.nodeUuid) lines.push("the instance differs");
  if (found.keys?.join() !== KEY) lines.push("the public keys differ");
  if (found.userdata !== USER_DATA) lines.push("the user data differ");
  return lines;
}

function compareGlean(wanted: Picture, { glean, gleanJson }: ReaderVerdict, distro: Distro): string[] {
  if (canonicalJson(glean[distro]) !== canonicalJson(gleanJson[distro])) return ["the two forms of the drive differ"];
  if (glean[distro].error !== undefined) return [glean[distro].error];
  // 1500 is what a card has that is told nothing.
  return differences(wanted, pictureOfGlean(glean[distro], distro)).filter(
    (line) => !/ mtu: 1500, got nothing$/.test(line),
  );
}

const rowOf = (wanted: Picture, ironic: IronicVerdict, readers: ReaderVerdict): Row => ({
  Schema: ironic.schema,
  "cloud-init, JSON": compareCloudInit(wanted, readers.cloudInitJson),
  "cloud-init, ISO": compareCloudInit(wanted, readers.cloudInitIso),
  ...Object.fromEntries(
    Object.entries(DISTROS).map(([column, distro]) => [column, compareGlean(wanted, readers, distro)]),
  ),
  "Ironic's builder": compareFiles(ironic),
  "Ironic's checker": [
    ...(ironic.jsonKept ? [] : ["the JSON is changed"]),
    ...(ironic.isoKept ? [] : ["the image is changed"]),
    ...(ironic.rebuilt.join() === Object.keys(ironic.ours).sort().join() ? [] : ["re-mastering loses files"]),
  ],
});

async function judge<T>(python: string, script: string, input: unknown, env: NodeJS.ProcessEnv): Promise<T[]> {
  const answer = await run(python, [join(here, script)], { input: JSON.stringify(input), env, timeoutMs: 300_000 });
  return JSON.parse(answer.slice(answer.indexOf("["))) as T[];
}

const numbers = new Map<string, number>();
/** The cell of a table; explained differences become numbers of notes. */
function cell(column: string, lines: string[], unexplained: string[]): string {
  if (lines.length === 0) return "agrees";
  const notes = lines.map((line) => {
    const found = explanations.find(({ readers, pattern }) => readers.includes(column) && pattern.test(line));
    if (!found) unexplained.push(`${column}: ${line}`);
    else if (!numbers.has(found.why)) numbers.set(found.why, numbers.size + 1);
    return found ? numbers.get(found.why) : "?";
  });
  return `differs (${[...new Set(notes)].join(", ")})`;
}

function rawLine({ name, wanted }: RawCase, { schema }: IronicVerdict, readers: ReaderVerdict): string {
  const judgeOf = (picture: () => Picture, error: string | undefined): string => {
    if (error !== undefined) return `fails: ${error}`;
    const links = picture().links;
    const wrong = Object.entries(wanted).flatMap(([device, want]) => {
      const have = links[device];
      if (!have) return [`no ${device}`];
      const [a, b] =
        "parent" in want ? [want.parent, have.vlan?.parent] : [want.members.join(", "), have.bond?.members.join(", ")];
      return a === b ? [] : [`${device} on ${b || "nothing"} instead of ${a}`];
    });
    return wrong.length === 0 ? "agrees" : wrong.join("; ");
  };
  const cells = [
    judgeOf(() => pictureOfCloudInit(readers.cloudInitIso), readers.cloudInitIso.error),
    ...Object.values(DISTROS).map((distro) =>
      judgeOf(() => pictureOfGlean(readers.glean[distro], distro), readers.glean[distro].error),
    ),
  ];
  return `| ${[name, schema.length === 0 ? "agrees" : "differs", ...cells].join(" | ")} |`;
}

async function ask({ ironicPython, readersPython, env }: Readers) {
  const drives = [
    ...cases.map(({ network }) => drivesOf({ network })),
    ...rawCases.map(({ networkData }) => drivesOf({ networkData })),
  ];
  const folder = mkdtempSync(join(tmpdir(), "matrix-"));
  try {
    // cloud-init's packages must not be found by Ironic's Python.
    const { PYTHONPATH: _, ...plain } = env;
    const ironic = await judge<IronicVerdict>(ironicPython, "judge_ironic.py", drives, { ...plain, TMPDIR: folder });
    const input = ironic.map(({ built, ours }) => ({ built, ours, cards }));
    const readers = await judge<ReaderVerdict>(readersPython, "judge_readers.py", input, { ...env, TMPDIR: folder });
    return { ironic, readers };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const tools = await ensureReaders(say);
  const { ironic, readers } = await ask(tools);
  const unexplained: string[] = [];
  const lines: string[] = [];
  let columns: string[] = [];
  for (const [index, each] of cases.entries()) {
    const [verdict, reading] = [ironic[index], readers[index]];
    if (!verdict || !reading) throw new Error(`no answer for ${each.name}`);
    const row = rowOf(expected(each), verdict, reading);
    columns = Object.keys(row);
    const found: string[] = [];
    lines.push(`| ${[each.name, ...columns.map((column) => cell(column, row[column] ?? [], found))].join(" | ")} |`);
    unexplained.push(...found.map((line) => `${each.name}: ${line}`));
  }
  const raw = rawCases.map((each, index) => {
    const [verdict, reading] = [ironic[cases.length + index], readers[cases.length + index]];
    if (!verdict || !reading) throw new Error(`no answer for ${each.name}`);
    return rawLine(each, verdict, reading);
  });
  const table = (heads: string[], rows: string[]): string[] => [
    `| ${heads.join(" | ")} |`,
    `|${" --- |".repeat(heads.length)}`,
    ...rows,
  ];
  const report = [
    "# Config drives and their readers",
    "",
    "Made by `npm run matrix`. Each network description goes through this project's JSON form and its ISO form to readers that others",
    `wrote: Ironic ${tools.versions.ironic} (its copy of OpenStack's network data schema, its builder of drives and its checker), Debian's`,
    `cloud-init ${tools.versions["cloud-init"]} (\`DataSourceConfigDrive\`; each of its four renderers runs) and Glean ${tools.versions.glean}`,
    "(writing the files of three kinds of system). `agrees`: the reader sets up what the description says, read off the description",
    "itself. The columns for Glean hold for both forms of the drive.",
    "",
    ...table(["Network", ...columns], lines),
    "",
    "## What differs, and why",
    "",
    ...[...numbers].map(([why, number]) => `${number}. ${why}`),
    "",
    "## What the description does not offer",
    "",
    "OpenStack's schema allows these; raw `networkData` can carry them. No reader sets them up as meant:",
    "",
    ...table(["Network", "Schema", "cloud-init", ...Object.keys(DISTROS)], raw),
    "",
  ].join("\n");
  say(report);
  const docs = join(here, "..", "docs");
  mkdirSync(docs, { recursive: true });
  writeFileSync(join(docs, "config-drive-matrix.md"), report);
  say(
    `${cases.length} descriptions, ${columns.length} readers; ${unexplained.length} differences without an explanation`,
  );
  for (const line of unexplained) say(`  unexplained: ${line}`);
  process.exitCode = unexplained.length === 0 ? 0 : 1;
}

await main();
