// A real Keystone for labs with `--auth keystone`: users of every strength that Ironic's policy knows, and one credential of
// each kind that openstacksdk can log in with. https://docs.openstack.org/keystone/latest/
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Agent, fetch } from "undici";
import { cached } from "./cache.ts";
import { ensurePython, ironicEnv, untilAnswers } from "./ironic.ts";
import { LabError, type Log } from "./problem.ts";
import { type Child, run, spawnDetached } from "./processes.ts";

/** The project that owns the lab's nodes. */
export const ownerProject = "lab";
/** A project to which nodes may be lent (`lessee` of a node). */
export const lesseeProject = "lessee";

export interface KeystoneSite {
  dir: string;
  port: number;
  /** Of the identity API with /v3, as clients see it. */
  publicUrl: string;
  /** Root of Ironic's API, as clients see it. */
  ironicUrl: string;
  caFile?: string;
  tokenLifeSeconds: number;
}

/** Everything that clouds.yaml and Ironic need to know. */
export interface KeystoneFacts {
  passwords: Record<string, string>;
  projectId: string;
  lesseeProjectId: string;
  applicationCredential: { id: string; name: string; secret: string };
  /** Of the project's owner; ends with the token life. */
  token: string;
  trustId: string;
  /** Base32; the owner of the second factor is the user `careful`. */
  totpSecret: string;
}

interface Grant {
  user: string;
  role: string;
  /** A project, or the whole system. */
  on: string | "system";
}

const grants: readonly Grant[] = [
  { user: "owner", role: "admin", on: ownerProject },
  { user: "manager", role: "manager", on: ownerProject },
  { user: "member", role: "member", on: ownerProject },
  { user: "reader", role: "reader", on: ownerProject },
  { user: "careful", role: "admin", on: ownerProject },
  { user: "stranger", role: "member", on: "other" },
  { user: "lessee", role: "member", on: lesseeProject },
  { user: "system-member", role: "member", on: "system" },
  { user: "system-reader", role: "reader", on: "system" },
  { user: "ironic", role: "service", on: "service" },
  { user: "ironic", role: "admin", on: "service" },
];

/** Starts Keystone on loopback and fills it. */
export async function startKeystone(
  site: KeystoneSite,
  log: Log,
  begun: (child: Child) => void,
): Promise<KeystoneFacts> {
  const python = await ensurePython("keystone", log);
  const { dir, port } = site;
  const home = join(dir, "keystone");
  rmSync(home, { recursive: true, force: true });
  for (const name of ["fernet", "credential"]) makeKeys(join(home, name));
  const conf = join(home, "keystone.conf");
  writeFileSync(conf, keystoneConfig(home, site), { mode: 0o600 });
  const passwords: Record<string, string> = { admin: secret("admin") };
  for (const { user } of grants) passwords[user] = secret(user);
  const manage = (...args: string[]) =>
    run(join(python, "bin", "keystone-manage"), ["--config-file", conf, ...args], {
      env: { ...ironicEnv(), OS_BOOTSTRAP_PASSWORD: passwords.admin },
      timeoutMs: 180_000,
    });
  copyFileSync(await emptyDatabase(python, log), join(home, "keystone.sqlite"));
  log("Starting Keystone");
  const urls = ["admin", "public", "internal"].flatMap((kind) => [`--bootstrap-${kind}-url`, site.publicUrl]);
  await manage("bootstrap", "--bootstrap-region-id", "RegionOne", ...urls);

  const gunicorn = join(home, "gunicorn.conf.py");
  // All in a file: Keystone reads the arguments of the process that serves it.
  writeFileSync(
    gunicorn,
    `wsgi_app = "keystone.wsgi.api:application"\nbind = "127.0.0.1:${port}"\nworkers = 2\nthreads = 2\n`,
  );
  const env = { ...ironicEnv(), GUNICORN_CMD_ARGS: `--config ${gunicorn}`, OS_KEYSTONE_CONFIG_FILES: conf };
  const child = spawnDetached("keystone", join(python, "bin", "gunicorn"), [], join(dir, "logs", "keystone.log"), {
    env,
    cwd: home,
  });
  begun(child);
  const local = `http://127.0.0.1:${port}/v3`;
  await untilAnswers(child, local, 60_000);
  return fill(local, site, passwords);
}

/** What `fernet_setup` and `credential_setup` do, for whichever user this is. https://github.com/fernet/spec/blob/master/Spec.md */
function makeKeys(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const toBase64Url = (bytes: Buffer) => bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
  for (const index of ["0", "1"]) writeFileSync(join(folder, index), toBase64Url(randomBytes(32)), { mode: 0o600 });
}

function keystoneConfig(home: string, site: KeystoneSite): string {
  return `[DEFAULT]
use_stderr = true
log_file =
public_endpoint = ${site.publicUrl.replace(/\/v3$/, "")}
[database]
connection = sqlite:///${join(home, "keystone.sqlite")}
[token]
provider = fernet
expiration = ${site.tokenLifeSeconds}
[fernet_tokens]
key_repository = ${join(home, "fernet")}
[fernet_receipts]
key_repository = ${join(home, "fernet")}
[credential]
key_repository = ${join(home, "credential")}
[auth]
methods = password,token,application_credential,totp
[identity]
password_hash_rounds = 4
`;
}

/** Making Keystone's tables takes ten seconds: done once per machine. */
async function emptyDatabase(python: string, log: Log): Promise<string> {
  const folder = await cached(
    `schema-${python.split("/").at(-1)}`,
    async (part) => {
      log("Making an empty Keystone database (once)");
      const conf = join(part, "keystone.conf");
      writeFileSync(conf, `[database]\nconnection = sqlite:///${join(part, "keystone.sqlite")}\n`);
      const args = ["--config-file", conf, "db_sync"];
      await run(join(python, "bin", "keystone-manage"), args, { env: ironicEnv(), timeoutMs: 300_000 });
    },
    log,
  );
  return join(folder, "keystone.sqlite");
}

/** Passwords that can be searched for in whatever a test writes. */
function secret(name: string): string {
  return `${name}-pw-${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
}

/** gunicorn closes idle connections at a bad moment: a fresh one each time. */
const dispatcher = new Agent({ pipelining: 0, keepAliveTimeout: 1 });

/** https://docs.openstack.org/api-ref/identity/v3/ */
class Identity {
  readonly #url: string;
  token = "";
  #again: (() => Promise<unknown>) | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers of Keystone, used right here
  async send(method: string, path: string, body?: unknown, isRetry = false): Promise<any> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (this.token !== "") headers["x-auth-token"] = this.token;
    const init = { method, headers, dispatcher, signal: AbortSignal.timeout(30_000) };
    const response = await fetch(`${this.#url}${path}`, {
      ...init,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    // A lab whose tokens live for seconds may take longer than that to be filled on a busy machine.
    if (response.status === 401 && this.token !== "" && this.#again && !isRetry) {
      await this.#again();
      return this.send(method, path, body, true);
    }
    if (response.status >= 400)
      throw new LabError(`${method} ${path}: Keystone answered ${response.status}: ${text}`, "See the log of Keystone");
    const subject = response.headers.get("x-subject-token");
    return { ...(text === "" ? {} : JSON.parse(text)), subject };
  }

  async logIn(name: string, password: string, scope: unknown): Promise<{ token: string; userId: string }> {
    const user = { name, password, domain: { name: "Default" } };
    this.token = "";
    this.#again = () => this.logIn(name, password, scope);
    const answer = await this.send("POST", "/auth/tokens", {
      auth: { identity: { methods: ["password"], password: { user } }, scope },
    });
    this.token = answer.subject;
    return { token: answer.subject, userId: answer.token.user.id };
  }
}

const inProject = (name: string) => ({ project: { name, domain: { name: "Default" } } });

async function fill(url: string, site: KeystoneSite, passwords: Record<string, string>): Promise<KeystoneFacts> {
  const identity = new Identity(url);
  const password = (user: string) => passwords[user] ?? "";
  await identity.logIn("admin", password("admin"), { system: { all: true } });
  const { service } = await identity.send("POST", "/services", { service: { name: "ironic", type: "baremetal" } });
  for (const kind of ["public", "internal", "admin"])
    await identity.send("POST", "/endpoints", {
      endpoint: { interface: kind, region_id: "RegionOne", service_id: service.id, url: site.ironicUrl },
    });
  const projects = new Map<string, string>();
  for (const name of [ownerProject, lesseeProject, "other", "service"])
    projects.set(
      name,
      (await identity.send("POST", "/projects", { project: { name, domain_id: "default" } })).project.id,
    );
  const roles = new Map<string, string>(
    (await identity.send("GET", "/roles")).roles.map((role: { name: string; id: string }) => [role.name, role.id]),
  );
  const users = new Map<string, string>();
  for (const { user, role, on } of grants) {
    if (!users.has(user)) {
      const body = { user: { name: user, password: password(user), domain_id: "default" } };
      users.set(user, (await identity.send("POST", "/users", body)).user.id);
    }
    if (!roles.has(role)) roles.set(role, (await identity.send("POST", "/roles", { role: { name: role } })).role.id);
    const place = on === "system" ? "/system" : `/projects/${projects.get(on)}`;
    await identity.send("PUT", `${place}/users/${users.get(user)}/roles/${roles.get(role)}`);
  }
  const totpSecret = await secondFactor(identity, users.get("careful") ?? "");
  const owner = await identity.logIn("owner", password("owner"), inProject(ownerProject));
  const application = await identity.send("POST", `/users/${owner.userId}/application_credentials`, {
    application_credential: { name: "lab", secret: secret("application") },
  });
  const { trust } = await identity.send("POST", "/OS-TRUST/trusts", {
    trust: {
      trustor_user_id: owner.userId,
      trustee_user_id: users.get("stranger"),
      project_id: projects.get(ownerProject),
      impersonation: false,
      roles: [{ name: "admin" }],
    },
  });
  const { id, name, secret: applicationSecret } = application.application_credential;
  return {
    passwords,
    projectId: projects.get(ownerProject) ?? "",
    lesseeProjectId: projects.get(lesseeProject) ?? "",
    applicationCredential: { id, name, secret: applicationSecret },
    token: owner.token,
    trustId: trust.id,
    totpSecret,
  };
}

/** The user must give a password and a time-based code: https://docs.openstack.org/keystone/latest/admin/auth-totp.html */
async function secondFactor(identity: Identity, userId: string): Promise<string> {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const blob = Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => alphabet[byte % 32]).join("");
  await identity.send("POST", "/credentials", { credential: { type: "totp", user_id: userId, blob } });
  const options = { multi_factor_auth_enabled: true, multi_factor_auth_rules: [["password", "totp"]] };
  await identity.send("PATCH", `/users/${userId}`, { user: { options } });
  return blob;
}

/** `[keystone_authtoken]` of Ironic: https://docs.openstack.org/keystonemiddleware/latest/middlewarearchitecture.html */
export function authTokenSettings(site: KeystoneSite, facts: KeystoneFacts): Record<string, string> {
  return {
    auth_type: "password",
    auth_url: `http://127.0.0.1:${site.port}/v3`,
    www_authenticate_uri: site.publicUrl,
    username: "ironic",
    password: facts.passwords.ironic ?? "",
    user_domain_name: "Default",
    project_name: "service",
    project_domain_name: "Default",
    region_name: "RegionOne",
    ...(site.caFile === undefined ? {} : { cafile: site.caFile }),
  };
}
