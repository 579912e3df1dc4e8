import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatMinor } from "../provider/connection/api-version.ts";
import { systemSurroundings } from "../provider/connection/cloud-files.ts";
import { type Auth, type Connection, resolveConnection } from "../provider/connection/connection.ts";
import type { Named } from "../provider/connection/credentials.ts";
import { type CloudCase, cloudCases } from "./cloud-cases.ts";

/** What one side resolved, in words that both sides share; `error` if it refused. */
export type Resolved = Record<string, unknown> & { error?: string };

export interface Row {
  case: CloudCase;
  sdk: Resolved;
  ours: Resolved;
  /** Keys that differ; empty if both agree. */
  differences: string[];
}

const limitMs = 120_000;

/** A Python that has openstacksdk, or why there is none. */
export const findPython = (candidate: string | undefined): { python: string } | { reason: string } => {
  if (!candidate) return { reason: "PULUMI_IRONIC_PYTHON names no Python with openstacksdk" };
  const probe = spawnSync(candidate, ["-c", "import openstack.config"], { timeout: limitMs, encoding: "utf8" });
  return probe.status === 0 ? { python: candidate } : { reason: `${candidate} has no openstacksdk` };
};

interface Placed {
  home: string;
  work: string;
  env: Record<string, string>;
}

const place = (root: string, index: number, { files, env }: CloudCase): Placed => {
  const folder = join(root, String(index));
  const home = join(folder, "home");
  const work = join(folder, "work");
  mkdirSync(home, { recursive: true });
  mkdirSync(work, { recursive: true });
  for (const [path, text] of Object.entries(files ?? {})) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const variables = Object.entries(env ?? {}).map(([key, value]) => [key, value.replace("%WORK%", work)]);
  return { home, work, env: { HOME: home, ...Object.fromEntries(variables) } };
};

const namedWords = (prefix: string, { id, name, domain }: Named): Record<string, unknown> => ({
  [`${prefix}Id`]: id,
  [`${prefix}Name`]: name,
  [`${prefix}Domain`]: domain === undefined ? undefined : Object.entries(domain)[0]?.join(":"),
});

const authWords = (auth: Auth): Record<string, unknown> => {
  if (auth.kind !== "keystone") return { ...auth };
  const words: Record<string, unknown> = { kind: "keystone", authUrl: auth.authUrl, scope: auth.scope.kind };
  for (const method of auth.methods) {
    if (method.name === "password")
      Object.assign(words, namedWords("user", method.user), { password: method.password });
    if (method.name === "totp") Object.assign(words, namedWords("user", method.user), { passcode: method.passcode });
    if (method.name === "token") words.token = method.token;
    if (method.name === "application_credential") {
      Object.assign(words, namedWords("user", method.user ?? {}), { secret: method.secret });
      words.credential = method.id ?? method.credentialName;
    }
  }
  words.methods = auth.methods.map((method) => method.name).join("+");
  if (auth.scope.kind === "project") Object.assign(words, namedWords("project", auth.scope.project));
  if (auth.scope.kind === "domain") words.domain = Object.entries(auth.scope.domain)[0]?.join(":");
  if (auth.scope.kind === "trust") words.trust = auth.scope.id;
  return words;
};

const ourWords = (connection: Connection): Resolved => ({
  ...authWords(connection.auth),
  endpoint: connection.endpoint,
  region: connection.region,
  interfaces: connection.interfaces.join(","),
  serviceType: connection.serviceType,
  insecure: connection.insecure,
  ca: connection.caCertificate,
  cert: connection.clientCertificate,
  key: connection.clientKey,
  version: connection.minor === undefined ? undefined : formatMinor(connection.minor),
  timeoutMs: connection.requestTimeoutMs,
});

const resolveOurs = ({ cloud, region }: CloudCase, placed: Placed): Resolved => {
  const settings: Record<string, string | undefined> = { cloud, region };
  const around = systemSurroundings(placed.env, placed.work);
  try {
    return ourWords(resolveConnection((key) => settings[key], placed.env, around));
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
};

const kinds: Record<string, string> = { none: "none", http_basic: "http_basic", admin_token: "fixed_token" };
const methodNames: Record<string, string> = {
  password: "password",
  v3password: "password",
  token: "token",
  v3token: "token",
  v3totp: "totp",
  v3applicationcredential: "application_credential",
};

interface SdkAnswer {
  error?: string;
  authType: string;
  auth: Record<string, string | undefined>;
  authMethods?: string[];
  endpoint?: string | null;
  region?: string | null;
  interfaces: string[];
  serviceType: string;
  insecure: boolean;
  ca?: string | null;
  cert?: string | null;
  key?: string | null;
  microversion?: string | null;
  timeout?: number | string | null;
}

const domainWord = (auth: SdkAnswer["auth"], prefix: string): string | undefined => {
  const id = auth[`${prefix}_domain_id`] ?? auth.default_domain_id;
  const name = auth[`${prefix}_domain_name`] ?? auth.default_domain_name;
  return id ? `id:${id}` : name ? `name:${name}` : undefined;
};

const sdkScope = (auth: SdkAnswer["auth"]): Record<string, unknown> => {
  if (auth.project_id) return { scope: "project", projectId: auth.project_id };
  if (auth.project_name) {
    return { scope: "project", projectName: auth.project_name, projectDomain: domainWord(auth, "project") };
  }
  if (auth.domain_id) return { scope: "domain", domain: `id:${auth.domain_id}` };
  if (auth.domain_name) return { scope: "domain", domain: `name:${auth.domain_name}` };
  if (auth.trust_id) return { scope: "trust", trust: auth.trust_id };
  return { scope: auth.system_scope ? "system" : "unscoped" };
};

const sdkAuth = ({ authType, auth, authMethods }: SdkAnswer): Record<string, unknown> => {
  const kind = kinds[authType] ?? "keystone";
  if (kind !== "keystone") return { kind, username: auth.username, password: auth.password, token: auth.token };
  const methods = authType === "v3multifactor" ? (authMethods ?? []) : [authType];
  return {
    kind,
    authUrl: auth.auth_url,
    userId: auth.user_id,
    userName: auth.username,
    userDomain: auth.username ? domainWord(auth, "user") : undefined,
    password: auth.password,
    passcode: auth.passcode,
    token: auth.token,
    credential: auth.application_credential_id ?? auth.application_credential_name,
    secret: auth.application_credential_secret,
    methods: methods.map((method) => methodNames[method] ?? method).join("+"),
    ...sdkScope(auth),
  };
};

const sdkWords = (answer: SdkAnswer): Resolved => {
  if (answer.error !== undefined) return { error: answer.error };
  return {
    ...sdkAuth(answer),
    endpoint: answer.endpoint ?? undefined,
    region: answer.region ?? undefined,
    interfaces: answer.interfaces.join(","),
    serviceType: answer.serviceType,
    insecure: answer.insecure,
    ca: answer.ca ?? undefined,
    cert: answer.cert ?? undefined,
    key: answer.key ?? undefined,
    version: answer.microversion ?? undefined,
    timeoutMs: answer.timeout ? Number(answer.timeout) * 1000 : 60_000,
  };
};

/** Keys that differ. Two refusals agree, whatever their words. */
const compare = (sdk: Resolved, ours: Resolved): string[] => {
  if (sdk.error !== undefined || ours.error !== undefined) {
    return (sdk.error === undefined) === (ours.error === undefined) ? [] : ["error"];
  }
  const keys = new Set([...Object.keys(sdk), ...Object.keys(ours)]);
  return [...keys].filter((key) => sdk[key] !== ours[key]).sort();
};

/** Resolves every case on both sides. */
export const compareClouds = (python: string, cases: CloudCase[] = cloudCases): Row[] => {
  const root = mkdtempSync(join(tmpdir(), "clouds-"));
  try {
    const placed = cases.map((one, index) => place(root, index, one));
    const input = cases.map(({ cloud, region }, index) => ({
      cloud,
      region_name: region,
      cwd: placed[index]?.work,
      env: placed[index]?.env,
    }));
    const script = join(dirname(fileURLToPath(import.meta.url)), "clouds.py");
    const run = spawnSync(python, [script], {
      input: JSON.stringify(input),
      encoding: "utf8",
      timeout: limitMs,
      maxBuffer: 16 * 1024 * 1024,
    });
    if (run.status !== 0) throw new Error(`openstacksdk's side failed: ${run.stderr.slice(-2000)}`);
    const answers = run.stdout.trim().split("\n");
    return cases.map((one, index) => {
      const sdk = sdkWords(JSON.parse(answers[index] ?? '{"error":"no answer"}') as SdkAnswer);
      const ours = resolveOurs(one, placed[index] as Placed);
      return { case: one, sdk, ours, differences: compare(sdk, ours) };
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
};

const word = (value: unknown): string => (value === undefined ? "–" : String(value).replace(/\s+/g, " ").slice(0, 160));

/** The table for people: one line per case, what differs below it. */
export const formatRows = (rows: Row[]): string => {
  const lines = rows.flatMap(({ case: one, sdk, ours, differences }) => {
    const verdict = differences.length === 0 ? (sdk.error === undefined ? "agree" : "agree (both refuse)") : "differ";
    const details = differences.map((key) => `    ${key}: openstacksdk ${word(sdk[key])} | ours ${word(ours[key])}`);
    const why = one.differs === undefined ? [] : [`    why: ${one.differs}`];
    return [`${verdict.padEnd(20)} ${one.title}`, ...details, ...why];
  });
  const agreeing = rows.filter((row) => row.differences.length === 0).length;
  const explained = rows.filter((row) => row.differences.length > 0 && row.case.differs !== undefined).length;
  const unexplained = rows.length - agreeing - explained;
  return [
    ...lines,
    `${rows.length} cases: ${agreeing} agree, ${explained} differ on purpose, ${unexplained} differ`,
  ].join("\n");
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = findPython(process.argv[2] ?? process.env.PULUMI_IRONIC_PYTHON);
  if ("reason" in found) {
    process.stderr.write(`skipped: ${found.reason}\n`);
  } else {
    const rows = compareClouds(found.python);
    process.stdout.write(`${formatRows(rows)}\n`);
    const surprising = rows.some((row) => (row.differences.length === 0) !== (row.case.differs === undefined));
    process.exitCode = surprising ? 1 : 0;
  }
}
