// clouds.yaml of a lab, for openstacksdk, the `baremetal` command and the provider.
// https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
import { stringify } from "yaml";
import type { Certificates } from "./certificates.ts";
import { type KeystoneFacts, lesseeProject, ownerProject } from "./keystone.ts";
import type { Door } from "./session.ts";

interface Cloud {
  purpose: string;
  config: Record<string, unknown>;
}

export interface CloudSources {
  door: Door;
  keystone?: { authUrl: string; facts: KeystoneFacts };
  certificates?: Certificates;
  /** Where a client certificate is asked for. */
  mutualUrl?: string;
}

/** The file's text, and what each cloud is for. The cloud `lab` always is the administrator's. */
export function cloudsFor(sources: CloudSources): { text: string; purposes: Record<string, string> } {
  const { door, keystone, certificates, mutualUrl } = sources;
  const clouds: Record<string, Cloud> =
    keystone === undefined ? plainClouds(door) : keystoneClouds(keystone.authUrl, keystone.facts, door.url);
  const main = clouds.lab;
  if (certificates !== undefined) {
    for (const cloud of Object.values(clouds)) cloud.config.cacert = certificates.ca;
    if (main !== undefined && mutualUrl !== undefined)
      clouds["lab-mtls"] = {
        purpose: "as lab, at the address that wants a client certificate",
        config: {
          ...main.config,
          ...mutualEndpoint(main, mutualUrl),
          cert: certificates.clientCert,
          key: certificates.clientKey,
        },
      };
  }
  const configs = Object.fromEntries(Object.entries(clouds).map(([name, { config }]) => [name, config]));
  const purposes = Object.fromEntries(Object.entries(clouds).map(([name, { purpose }]) => [name, purpose]));
  return { text: stringify({ clouds: configs }), purposes };
}

function mutualEndpoint(main: Cloud, url: string): Record<string, unknown> {
  const auth = main.config.auth as Record<string, unknown>;
  return "endpoint" in auth ? { auth: { ...auth, endpoint: url } } : { baremetal_endpoint_override: url };
}

function plainClouds({ url, basic }: Door): Record<string, Cloud> {
  return basic === undefined
    ? { lab: { purpose: "no authentication", config: { auth_type: "none", auth: { endpoint: url } } } }
    : { lab: { purpose: "http_basic", config: { auth_type: "http_basic", auth: { endpoint: url, ...basic } } } };
}

function keystoneClouds(authUrl: string, facts: KeystoneFacts, ironicUrl: string): Record<string, Cloud> {
  const domains = { user_domain_name: "Default" };
  const project = { project_name: ownerProject, project_domain_name: "Default" };
  const password = (user: string) => ({
    auth_url: authUrl,
    username: user,
    password: facts.passwords[user],
    ...domains,
  });
  const cloud = (purpose: string, auth: Record<string, unknown>, auth_type = "password", more = {}): Cloud => ({
    purpose,
    config: { auth_type, auth, region_name: "RegionOne", ...more },
  });
  const { id, name, secret } = facts.applicationCredential;
  return {
    lab: cloud("administrator, system scope", { ...password("admin"), system_scope: "all" }),
    "lab-owner": cloud("admin in the project that owns the nodes", { ...password("owner"), ...project }),
    "lab-manager": cloud("manager in the owning project", { ...password("manager"), ...project }),
    "lab-member": cloud("member in the owning project", { ...password("member"), ...project }),
    "lab-reader": cloud("reader in the owning project", { ...password("reader"), ...project }),
    "lab-stranger": cloud("member in a project without nodes", {
      ...password("stranger"),
      ...project,
      project_name: "other",
    }),
    "lab-lessee": cloud("member in a project to which nodes may be lent", {
      ...password("lessee"),
      ...project,
      project_name: lesseeProject,
    }),
    "lab-system-member": cloud("member, system scope", { ...password("system-member"), system_scope: "all" }),
    "lab-system-reader": cloud("reader, system scope", { ...password("system-reader"), system_scope: "all" }),
    "lab-application": cloud(
      "application credential of the owner, by id",
      { auth_url: authUrl, application_credential_id: id, application_credential_secret: secret },
      "v3applicationcredential",
    ),
    "lab-application-name": cloud(
      "application credential of the owner, by name and user",
      {
        auth_url: authUrl,
        username: "owner",
        ...domains,
        application_credential_name: name,
        application_credential_secret: secret,
      },
      "v3applicationcredential",
    ),
    "lab-token": cloud("a token of the owner", { auth_url: authUrl, token: facts.token, ...project }, "v3token"),
    "lab-admin-token": cloud(
      "a token of the owner and Ironic's address",
      { endpoint: ironicUrl, token: facts.token },
      "admin_token",
    ),
    "lab-trust": cloud("a stranger whom the owner trusts", { ...password("stranger"), trust_id: facts.trustId }),
    "lab-totp": cloud(
      "password and time-based code; add auth.passcode (secret: extras.totpSecret)",
      { ...password("careful"), ...project },
      "v3multifactor",
      { auth_methods: ["v3password", "v3totp"] },
    ),
  };
}
