// A plain way to ask Ironic, made from fetch alone: the lab's own hands and an independent judge for tests. It shares no
// code with the provider on purpose.
import { readFileSync } from "node:fs";
import { Agent, fetch } from "undici";

/** How to log in; written to the lab's folder by `start`, read by the agent and by tests. */
export interface Door {
  /** Root of the API, without /v1. */
  url: string;
  caFile?: string;
  basic?: { username: string; password: string };
  keystone?: { authUrl: string; username: string; password: string; system: boolean; project?: string };
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of Ironic are judged by tests, which know what they ask for
  body: any;
  headers: Record<string, string>;
}

export type IronicApi = (method: string, path: string, body?: unknown, options?: ApiOptions) => Promise<Answer>;

export interface ApiOptions {
  /** X-OpenStack-Ironic-API-Version; default "latest". */
  version?: string;
  /** Default 60 s. */
  timeoutMs?: number;
}

/** A function that sends one request and gives whatever Ironic answers; it throws only when there is no answer at all. */
export function ironicApi(door: Door): IronicApi {
  const connect = door.caFile === undefined ? {} : { ca: readFileSync(door.caFile) };
  // One-process Ironics close idle connections at a bad moment: a fresh one each time costs nothing on loopback.
  const dispatcher = new Agent({ connect, pipelining: 0, keepAliveTimeout: 1 });
  let token: Promise<string> | undefined;
  return async (method, path, body, options = {}) => {
    for (let attempt = 1; ; attempt++) {
      const headers: Record<string, string> = { "x-openstack-ironic-api-version": options.version ?? "latest" };
      if (body !== undefined) headers["content-type"] = "application/json";
      if (door.basic !== undefined) headers.authorization = basicHeader(door.basic);
      if (door.keystone !== undefined) {
        token ??= keystoneToken(door.keystone, dispatcher);
        headers["x-auth-token"] = await token;
      }
      const response = await fetch(`${door.url}${path}`, {
        method,
        headers,
        dispatcher,
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(options.timeoutMs ?? 60_000),
      });
      const text = await response.text();
      if (response.status === 401 && token !== undefined && attempt === 1) {
        token = undefined;
        continue;
      }
      return { status: response.status, body: parsed(text), headers: Object.fromEntries(response.headers) };
    }
  };
}

function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** https://docs.openstack.org/api-ref/identity/v3/#password-authentication-with-scoped-authorization */
async function keystoneToken(keystone: NonNullable<Door["keystone"]>, dispatcher: Agent): Promise<string> {
  const domain = { name: "Default" };
  const scope = keystone.system ? { system: { all: true } } : { project: { name: keystone.project, domain } };
  const user = { name: keystone.username, password: keystone.password, domain };
  const response = await fetch(`${keystone.authUrl}/auth/tokens`, {
    method: "POST",
    dispatcher,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ auth: { identity: { methods: ["password"], password: { user } }, scope } }),
    signal: AbortSignal.timeout(30_000),
  });
  const token = response.headers.get("x-subject-token");
  if (token === null) throw new Error(`Keystone answered ${response.status}: ${await response.text()}`);
  return token;
}
