import * as pulumi from "@pulumi/pulumi";
import { connectionKeyNames, secretConnectionKeys } from "../connection/keys.ts";
import { withCode } from "../core/index.ts";

/**
 * The connection of an explicit {@link Provider}. Each argument means what the stack configuration `ironic:<name>`
 * means for resources without one. What is left out comes from the environment (`OS_CLOUD`, `OS_*`) and clouds.yaml,
 * as [openstacksdk](https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html) reads them; the
 * stack configuration does not count.
 */
export interface ProviderArgs {
  /** Address of Ironic's API, with its path prefix if it has one. Default: Keystone's catalogue, or the cloud's. */
  endpoint?: pulumi.Input<string>;
  /** Hosts that credentials may go to though these come from elsewhere (`OS_CLOUD`, clouds.yaml), with commas. */
  allowCredentialsTo?: pulumi.Input<string>;
  /** Name of a cloud in clouds.yaml. Default: `OS_CLOUD`. */
  cloud?: pulumi.Input<string>;
  /** How to log in. Default: what the other arguments amount to, without any of them `none`. */
  authType?: pulumi.Input<"none" | "http_basic" | "keystone" | (string & {})>;
  /** Address of Keystone, e.g. `https://keystone.example:5000/v3`. */
  authUrl?: pulumi.Input<string>;
  /** For `http_basic`, or a Keystone user; with `userDomainName` or `userDomainId` unless the cloud names it. */
  username?: pulumi.Input<string>;
  /** Instead of `username`: then without a domain. */
  userId?: pulumi.Input<string>;
  /** Encrypted in the state whether it is a Pulumi secret or not. */
  password?: pulumi.Input<string>;
  userDomainName?: pulumi.Input<string>;
  userDomainId?: pulumi.Input<string>;
  /** Project to work in; with `projectDomainName` or `projectDomainId`. */
  projectName?: pulumi.Input<string>;
  projectId?: pulumi.Input<string>;
  projectDomainName?: pulumi.Input<string>;
  projectDomainId?: pulumi.Input<string>;
  /** Domain to work in, instead of a project. */
  domainName?: pulumi.Input<string>;
  domainId?: pulumi.Input<string>;
  /** `all` to work with the whole system, instead of a project. */
  systemScope?: pulumi.Input<string>;
  /** [Trust](https://docs.openstack.org/keystone/latest/user/trusts.html) to work with, instead of a project. */
  trustId?: pulumi.Input<string>;
  /** [Application credential](https://docs.openstack.org/keystone/latest/user/application_credentials.html). */
  applicationCredentialId?: pulumi.Input<string>;
  /** Instead of its id; then with the user. */
  applicationCredentialName?: pulumi.Input<string>;
  /** Encrypted in the state whether it is a Pulumi secret or not. */
  applicationCredentialSecret?: pulumi.Input<string>;
  /** A Keystone token. It ends; prefer an application credential. Encrypted in the state. */
  token?: pulumi.Input<string>;
  /** One-time code of a second factor. Encrypted in the state. */
  passcode?: pulumi.Input<string>;
  /** Region in Keystone's catalogue. */
  region?: pulumi.Input<string>;
  /** Interfaces of the catalogue, most wanted first. Default: `public`. */
  interface?: pulumi.Input<string | string[]>;
  /** Authority that signed the server's certificate: PEM text, or the path of a PEM file. Default: the system's. */
  caCertificate?: pulumi.Input<string>;
  /** Own certificate: PEM text or the path of a PEM file, which may hold the key as well. */
  clientCertificate?: pulumi.Input<string>;
  /** Key of `clientCertificate`: PEM text or the path of a PEM file. Encrypted in the state. */
  clientKey?: pulumi.Input<string>;
  /** Do not verify certificates: for a laboratory. Default: false. */
  insecure?: pulumi.Input<boolean>;
  /** Newest API version to use, e.g. `1.82`. Default: the newest that both sides know. */
  apiVersion?: pulumi.Input<string>;
  /** Longest duration of one request, in seconds. Default: 60; at most 3600. */
  requestTimeoutSeconds?: pulumi.Input<number>;
  /** Most requests at once; adapts below that by itself. Default: 32. */
  concurrency?: pulumi.Input<number>;
  /**
   * What a preview does with what would go wrong: nothing, warn, or fail. Default: fail where Ironic would refuse, warn
   * where it would only ignore something.
   */
  preflight?: pulumi.Input<"off" | "warn" | "enforce">;
  /**
   * What becomes of resources whose node or allocation Ironic does not find and may only hide: they are kept, or all of
   * them leave the state. Default: `keep`.
   */
  missingNodes?: pulumi.Input<"keep" | "forget">;
}

/** Read from the provider's configuration, and no part of the connection. */
const otherNames = ["preflight", "missingNodes"] as const;

/** As in stack configuration: every value a text, lists as JSON. */
const configText = (value: unknown): string | undefined => {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
};

const configOf = (args: ProviderArgs): pulumi.Inputs => {
  const config: pulumi.Inputs = {};
  for (const name of [...connectionKeyNames, ...otherNames]) {
    const value: unknown = args[name];
    if (value === undefined) continue;
    const text = pulumi.output(value).apply(configText);
    config[`ironic:${name}`] = (secretConnectionKeys as readonly string[]).includes(name) ? pulumi.secret(text) : text;
  }
  return config;
};

/** Whether the stack's configuration holds `key` encrypted; true where the SDK does not say. */
const isConfigSecret = (runtime: object, key: string): boolean =>
  (runtime as { isConfigSecret?(key: string): boolean }).isConfigSecret?.(key) ?? true;

/**
 * Throws when the stack's configuration holds a connection secret in plain text: Pulumi copies the configuration into
 * the state as it is. For the constructors of resources, which all run in the program.
 */
export const refusePlainSecrets = (): void => {
  const config = new pulumi.Config("ironic");
  for (const name of secretConnectionKeys) {
    const key = `ironic:${name}`;
    if (config.get(name) === undefined || isConfigSecret(pulumi.runtime, key)) continue;
    throw new pulumi.RunError(
      withCode(
        `The stack's configuration contains ${key} in plain text, and Pulumi would copy it into the state. Encrypt it: \`pulumi config set --secret ${key}\`.`,
        "secret-not-encrypted",
      ),
    );
  }
};

/**
 * An explicit connection to one Ironic, for a stack that spans several: pass it as the option `provider` of the
 * resources. Changing it never replaces them.
 *
 * ```ts
 * const west = new ironic.Provider("west", { endpoint: "https://ironic.west.example", username: "ops", password });
 * new ironic.RamdiskDeployment("worker-1", { … }, { provider: west });
 * ```
 */
export class Provider extends pulumi.ProviderResource {
  /** The connection as `ironic:` settings, for look-ups. @internal */
  readonly settings: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: ProviderArgs = {}, opts?: pulumi.ResourceOptions) {
    const config = configOf(args);
    super("pulumi-nodejs", name, config, opts);
    this.settings = pulumi.output(config) as pulumi.Output<Record<string, string>>;
  }
}
