// Who logs in how: the stack by the spoiled way, its owner's tools beside it, and the lessee with an account of its own.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Lab } from "../lab/lab.ts";
import { type IronicApi, ironicApi } from "../lab/session.ts";
import type { Account } from "./actors.ts";

/** What a command needs to find Ironic. */
export interface Access {
  env: Record<string, string>;
  /** Stack configuration. */
  config: Record<string, string>;
}

export interface Accounts {
  /** Through the proxy. */
  stack(account: Account): Access;
  /** As an administrator, beside the proxy. */
  direct: Access;
  lessee: IronicApi;
}

interface Cloud {
  auth: { auth_url?: string; username?: string; password?: string; project_name?: string };
  baremetal_endpoint_override?: string;
}

const CLOUDS: Readonly<Record<Account, string>> = { system: "lab", project: "lab-owner" };

const plain = (endpoint: string): Access => ({
  env: {},
  config: { "ironic:endpoint": endpoint, "ironic:authType": "none" },
});

export function accountsOf(lab: Lab, proxyUrl: string, dir: string): Accounts {
  const { OS_CLIENT_CONFIG_FILE } = lab.env;
  const file = parse(readFileSync(OS_CLIENT_CONFIG_FILE, "utf8")) as { clouds: Record<string, Cloud> };
  const { auth_url: authUrl, username, password, project_name: project } = file.clouds["lab-lessee"]?.auth ?? {};
  if (authUrl === undefined || username === undefined || password === undefined || project === undefined)
    return {
      stack: () => plain(proxyUrl),
      direct: plain(lab.url),
      lessee: () => Promise.reject(new Error("A lab without Keystone has no lessee")),
    };
  const spoiled = join(dir, "spoiled-clouds.yaml");
  const clouds = Object.fromEntries(
    Object.entries(file.clouds).map(([name, cloud]) => [name, { ...cloud, baremetal_endpoint_override: proxyUrl }]),
  );
  writeFileSync(spoiled, stringify({ clouds }), { mode: 0o600 });
  return {
    stack: (account) => ({ env: { OS_CLOUD: CLOUDS[account], OS_CLIENT_CONFIG_FILE: spoiled }, config: {} }),
    direct: { env: lab.env, config: {} },
    lessee: ironicApi({ url: lab.url, keystone: { authUrl, username, password, project, system: false } }),
  };
}
