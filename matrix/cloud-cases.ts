/** One surrounding of openstacksdk: files below a home and a working folder, variables, and what is asked for. */
export interface CloudCase {
  title: string;
  /** Path below the case's folder → content; `home/.config/openstack/clouds.yaml`, `work/clouds.yaml`, … */
  files?: Record<string, string>;
  env?: Record<string, string>;
  cloud?: string;
  region?: string;
  /** Why we deliberately resolve something else. */
  differs?: string;
}

const home = "home/.config/openstack/clouds.yaml";
const homeSecure = "home/.config/openstack/secure.yaml";

/** What most entries share, indented to stand under a cloud's name. */
const passwordAuth = `
    auth:
      auth_url: https://keystone.example.org:5000/v3
      username: ann
      password: s3cret
      project_name: lab
      user_domain_name: Default
      project_domain_name: Default`;

const one = (body: string, name = "lab"): string => `clouds:\n  ${name}:${body}\n`;

const envPassword = {
  OS_AUTH_URL: "https://keystone.example.org:5000/v3",
  OS_USERNAME: "ann",
  OS_PASSWORD: "s3cret",
  OS_PROJECT_NAME: "lab",
  OS_USER_DOMAIN_NAME: "Default",
  OS_PROJECT_DOMAIN_NAME: "Default",
};

const pem = (name: string): string => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;

export const cloudCases: CloudCase[] = [
  { title: "nothing at all" },
  { title: "one cloud in the home folder", files: { [home]: one(passwordAuth) } },
  { title: "one cloud, named by OS_CLOUD", files: { [home]: one(passwordAuth) }, env: { OS_CLOUD: "lab" } },
  { title: "OS_CLOUD names no cloud of the file", files: { [home]: one(passwordAuth) }, env: { OS_CLOUD: "other" } },
  {
    title: "two clouds, none named",
    files: { [home]: one(passwordAuth) + one(passwordAuth, "second").replace("clouds:\n", "") },
  },
  {
    title: "two clouds, the second asked for",
    files: { [home]: one(passwordAuth) + one(passwordAuth.replace("ann", "bob"), "second").replace("clouds:\n", "") },
    cloud: "second",
  },
  {
    title: "the working folder wins over the home folder",
    files: { [home]: one(passwordAuth), "work/clouds.yaml": one(passwordAuth.replace("ann", "bob")) },
  },
  { title: "clouds.yml", files: { "home/.config/openstack/clouds.yml": one(passwordAuth) } },
  {
    title: "clouds.json",
    files: {
      "home/.config/openstack/clouds.json": JSON.stringify({
        clouds: {
          lab: { auth_type: "http_basic", auth: { username: "a", password: "b", endpoint: "http://i.example.org" } },
        },
      }),
    },
  },
  {
    title: "OS_CLIENT_CONFIG_FILE",
    files: { [home]: one(passwordAuth), "work/mine.yaml": one(passwordAuth.replace("ann", "carl")) },
    env: { OS_CLIENT_CONFIG_FILE: "mine.yaml" },
  },
  {
    title: "XDG_CONFIG_HOME",
    files: { "work/xdg/openstack/clouds.yaml": one(passwordAuth) },
    env: { XDG_CONFIG_HOME: "%WORK%/xdg" },
  },
  {
    title: "password in secure.yaml",
    files: {
      [home]: one(passwordAuth.replace(/\n {6}password: .*/, "")),
      [homeSecure]: one("\n    auth:\n      password: from-secure"),
    },
  },
  {
    title: "secure.yaml wins over clouds.yaml",
    files: { [home]: one(passwordAuth), [homeSecure]: one("\n    auth:\n      password: from-secure") },
  },
  {
    title: "OS_CLIENT_SECURE_FILE",
    files: {
      [home]: one(passwordAuth),
      "work/secrets.yaml": one("\n    auth:\n      password: elsewhere"),
    },
    env: { OS_CLIENT_SECURE_FILE: "secrets.yaml" },
  },
  {
    title: "profile of clouds-public.yaml",
    files: {
      [home]: one(
        "\n    profile: metal\n    auth:\n      username: ann\n      password: p\n      project_id: abc\n      user_domain_id: default",
      ),
      "home/.config/openstack/clouds-public.yaml":
        "public-clouds:\n  metal:\n    auth:\n      auth_url: https://metal.example.org/v3\n    region_name: north\n    interface: internal\n",
    },
  },
  {
    title: "profile under its old name, own values win",
    files: {
      [home]: one(
        "\n    cloud: metal\n    interface: admin\n    auth:\n      username: ann\n      password: p\n      project_id: abc\n      user_domain_id: default",
      ),
      "home/.config/openstack/clouds-public.yaml":
        "public-clouds:\n  metal:\n    auth:\n      auth_url: https://metal.example.org/v3\n    regions: [north, south]\n    interface: internal\n",
    },
  },
  {
    title: "profile that is nowhere",
    files: { [home]: one(`\n    profile: unheard-of${passwordAuth}`) },
  },
  { title: "variables only", env: envPassword },
  {
    title: "variables only, with region, interface and CA",
    files: { "work/ca.pem": pem("ca") },
    env: { ...envPassword, OS_REGION_NAME: "north", OS_INTERFACE: "internal", OS_CACERT: "ca.pem" },
  },
  {
    title: "variables beside one cloud: the variables win",
    files: { [home]: one(passwordAuth) },
    env: { ...envPassword, OS_USERNAME: "envy" },
  },
  {
    title: "OS_CLOUD beside other variables: the file wins alone",
    files: { [home]: one(passwordAuth) },
    env: { ...envPassword, OS_USERNAME: "envy", OS_CLOUD: "lab", OS_REGION_NAME: "south" },
  },
  {
    title: "OS_REGION_NAME alone makes no cloud",
    files: { [home]: one(passwordAuth) },
    env: { OS_REGION_NAME: "north" },
  },
  {
    title: "OS_CLOUD_NAME renames the environment's cloud",
    env: { ...envPassword, OS_CLOUD_NAME: "mine" },
    cloud: "mine",
  },
  { title: "a cloud named envvars in the file", files: { [home]: one(passwordAuth, "envvars") } },
  { title: "noauth from variables", env: { OS_AUTH_TYPE: "none", OS_ENDPOINT: "http://ironic.example.org:6385" } },
  {
    title: "http_basic from variables",
    env: { OS_AUTH_TYPE: "http_basic", OS_ENDPOINT: "http://ironic.example.org", OS_USERNAME: "u", OS_PASSWORD: "p" },
  },
  {
    title: "noauth in a file, endpoint beside auth",
    files: {
      [home]: one("\n    auth_type: none\n    baremetal_endpoint_override: http://ironic.example.org/baremetal"),
    },
  },
  {
    title: "noauth in a file, endpoint in auth",
    files: { [home]: one('\n    auth_type: "None"\n    auth:\n      endpoint: http://ironic.example.org:6385/') },
  },
  {
    title: "http_basic in a file",
    files: {
      [home]: one(
        "\n    auth_type: http_basic\n    auth:\n      username: u\n      password: p\n      endpoint: https://i.example.org/v1",
      ),
    },
  },
  {
    title: "token with an endpoint",
    files: {
      [home]: one("\n    auth_type: token_endpoint\n    auth:\n      token: t0ken\n      url: https://i.example.org"),
    },
  },
  {
    title: "v3password",
    files: { [home]: one(`\n    auth_type: v3password${passwordAuth}`) },
  },
  {
    title: "v3password without the user's domain",
    files: { [home]: one(`\n    auth_type: v3password${passwordAuth.replace(/\n {6}user_domain_name: .*/, "")}`) },
  },
  {
    title: "application credential by id",
    files: {
      [home]: one(
        "\n    auth_type: v3applicationcredential\n    auth:\n      auth_url: https://k.example.org/v3\n      application_credential_id: 0123abcd\n      application_credential_secret: s",
      ),
    },
  },
  {
    title: "application credential by name",
    files: {
      [home]: one(
        "\n    auth_type: v3applicationcredential\n    auth:\n      auth_url: https://k.example.org/v3\n      application_credential_name: ci\n      application_credential_secret: s\n      username: ann\n      user_domain_name: Default",
      ),
    },
  },
  {
    title: "application credential from variables",
    env: {
      OS_AUTH_TYPE: "v3applicationcredential",
      OS_AUTH_URL: "https://k.example.org/v3",
      OS_APPLICATION_CREDENTIAL_ID: "abc",
      OS_APPLICATION_CREDENTIAL_SECRET: "s",
    },
  },
  {
    title: "application credential without its auth_type",
    env: {
      OS_AUTH_URL: "https://k.example.org/v3",
      OS_APPLICATION_CREDENTIAL_ID: "abc",
      OS_APPLICATION_CREDENTIAL_SECRET: "s",
    },
    differs:
      "openstacksdk builds a password login without a user, which fails at Keystone; we say what is wrong before",
  },
  {
    title: "v3token with a project",
    files: {
      [home]: one(
        "\n    auth_type: v3token\n    auth:\n      auth_url: https://k.example.org/v3\n      token: t\n      project_id: p",
      ),
    },
  },
  {
    title: "token under its old name",
    env: { OS_AUTH_TYPE: "token", OS_AUTH_URL: "https://k.example.org", OS_AUTH_TOKEN: "t" },
  },
  {
    title: "v3totp",
    files: {
      [home]: one(
        "\n    auth_type: v3totp\n    auth:\n      auth_url: https://k.example.org/v3\n      user_id: u\n      passcode: 012345\n      system_scope: all",
      ),
    },
  },
  {
    title: "v3multifactor",
    files: {
      [home]: one(
        '\n    auth_type: v3multifactor\n    auth_methods: [v3password, v3totp]\n    auth:\n      auth_url: https://k.example.org/v3\n      username: ann\n      user_domain_id: default\n      password: p\n      passcode: "123456"\n      project_id: p',
      ),
    },
  },
  {
    title: "system scope",
    files: {
      [home]: one(
        "\n    auth:\n      auth_url: https://k.example.org\n      username: a\n      password: p\n      user_domain_name: Default\n      system_scope: all",
      ),
    },
  },
  {
    title: "domain scope",
    files: {
      [home]: one(
        "\n    auth:\n      auth_url: https://k.example.org\n      username: a\n      password: p\n      user_domain_name: Default\n      domain_name: ops",
      ),
    },
  },
  {
    title: "trust scope",
    files: {
      [home]: one(
        "\n    auth:\n      auth_url: https://k.example.org\n      username: a\n      password: p\n      user_domain_name: Default\n      trust_id: tr",
      ),
    },
  },
  {
    title: "one domain for user and project",
    files: {
      [home]: one(
        "\n    auth:\n      auth_url: https://k.example.org\n      username: a\n      password: p\n      project_name: lab\n      domain_name: ops",
      ),
    },
  },
  {
    title: "default domain",
    files: {
      [home]: one(
        "\n    auth:\n      auth_url: https://k.example.org\n      username: a\n      password: p\n      project_name: lab\n      default_domain_id: default",
      ),
    },
  },
  {
    title: "tenant names",
    files: {
      [home]: one(
        "\n    auth:\n      auth_url: https://k.example.org\n      username: a\n      password: p\n      tenant_name: old\n      user_domain_id: default\n      project_domain_id: default",
      ),
    },
  },
  {
    title: "keys with dashes",
    files: {
      [home]: one(
        "\n    auth-type: v3password\n    auth:\n      auth_url: https://k.example.org/v3\n      username: a\n      password: p\n      user-domain-name: Default\n      project-name: lab\n      project-domain-name: Default",
      ),
    },
  },
  {
    title: "auth options beside auth",
    files: {
      [home]: one(
        "\n    username: beside\n    auth:\n      auth_url: https://k.example.org\n      password: p\n      user_domain_id: default\n      project_id: x",
      ),
    },
  },
  { title: "regions as a list, none asked", files: { [home]: one(`\n    regions: [north, south]${passwordAuth}`) } },
  {
    title: "regions as a list, second asked",
    files: { [home]: one(`\n    regions: [north, south]${passwordAuth}`) },
    region: "south",
  },
  {
    title: "regions as a list, unknown asked",
    files: { [home]: one(`\n    regions: [north, south]${passwordAuth}`) },
    region: "South",
  },
  {
    title: "region with values of its own",
    files: {
      [home]: one(
        `\n    regions:\n      - name: north\n        values:\n          interface: internal\n          auth:\n            project_name: north-lab\n      - south${passwordAuth}`,
      ),
    },
  },
  {
    title: "region list in a string",
    files: { [home]: one(`\n    region_name: north,south${passwordAuth}`) },
    region: "south",
  },
  {
    title: "region in auth_url",
    files: {
      [home]: one(`\n    region_name: north${passwordAuth.replace("keystone.example", "{region_name}.example")}`),
    },
  },
  {
    title: "region of the bare metal service",
    files: { [home]: one(`\n    region_name: north\n    baremetal_region_name: cellar${passwordAuth}`) },
  },
  { title: "interface list", files: { [home]: one(`\n    interface: [internal, public]${passwordAuth}`) } },
  {
    title: "interface of the bare metal service, old spelling",
    files: { [home]: one(`\n    interface: public\n    baremetal_endpoint_type: admin${passwordAuth}`) },
  },
  { title: "endpoint_type", files: { [home]: one(`\n    endpoint_type: internal${passwordAuth}`) } },
  {
    title: "endpoint override beside Keystone",
    files: { [home]: one(`\n    baremetal_endpoint_override: https://i.example.org/baremetal${passwordAuth}`) },
  },
  {
    title: "endpoint override under the alias",
    files: { [home]: one(`\n    bare_metal_endpoint_override: https://i.example.org/bm${passwordAuth}`) },
  },
  {
    title: "endpoint override from a variable",
    env: { ...envPassword, OS_BAREMETAL_ENDPOINT_OVERRIDE: "https://i.example.org" },
  },
  { title: "pinned version", files: { [home]: one(`\n    baremetal_api_version: "1.72"${passwordAuth}`) } },
  {
    title: "pinned version that YAML shortens",
    files: { [home]: one(`\n    baremetal_default_microversion: 1.70${passwordAuth}`) },
  },
  { title: "API version 1 pins nothing", files: { [home]: one(`\n    baremetal_api_version: 1${passwordAuth}`) } },
  { title: "own service type", files: { [home]: one(`\n    baremetal_service_type: metal${passwordAuth}`) } },
  { title: "verify: false", files: { [home]: one(`\n    verify: false${passwordAuth}`) } },
  { title: "verify: no, in YAML 1.1", files: { [home]: one(`\n    verify: no${passwordAuth}`) } },
  {
    title: "insecure: true beside a CA",
    files: { [home]: one(`\n    insecure: true\n    cacert: ca.pem${passwordAuth}`), "work/ca.pem": pem("ca") },
  },
  { title: "OS_INSECURE=1 is not true", env: { ...envPassword, OS_INSECURE: "1" } },
  { title: "OS_INSECURE=True", env: { ...envPassword, OS_INSECURE: "True" } },
  {
    title: "CA file below the home folder",
    files: { [home]: one(`\n    cacert: ~/ca.pem${passwordAuth}`), "home/ca.pem": pem("home ca") },
  },
  {
    title: "CA file of the machine's Python",
    files: { [home]: one(passwordAuth), "work/all.pem": pem("all") },
    env: { REQUESTS_CA_BUNDLE: "all.pem" },
  },
  {
    title: "client certificate and key",
    files: {
      [home]: one(`\n    cert: c.pem\n    key: k.pem${passwordAuth}`),
      "work/c.pem": pem("cert"),
      "work/k.pem": pem("key"),
    },
  },
  {
    title: "client certificate and key in one file",
    files: { [home]: one(`\n    cert: c.pem${passwordAuth}`), "work/c.pem": pem("both") },
  },
  { title: "time-out", files: { [home]: one(`\n    api_timeout: 7${passwordAuth}`) } },
  { title: "time-out of one service", files: { [home]: one(`\n    baremetal_timeout: 9${passwordAuth}`) } },
  { title: "numeric password", files: { [home]: one(passwordAuth.replace("s3cret", "12345678901234567890")) } },
  { title: "password with a leading zero", files: { [home]: one(passwordAuth.replace("s3cret", "0123")) } },
  { title: "project named like a number", files: { [home]: one(passwordAuth.replace("lab", "2.0")) } },
  { title: "user named yes", files: { [home]: one(passwordAuth.replace("ann", "'yes'")) } },
  {
    title: "YAML anchors and merge keys",
    files: {
      [home]: `base: &base\n  auth_type: v3password\n  interface: internal\nclouds:\n  lab:\n    <<: *base${passwordAuth}\n`,
    },
  },
  {
    title: "a key written twice",
    files: { [home]: one(`\n    interface: admin\n    interface: internal${passwordAuth}`) },
  },
  {
    title: "broken YAML is skipped for the next file",
    files: { "work/clouds.yaml": "clouds: [\n", [home]: one(passwordAuth) },
  },
  { title: "an empty file ends the search", files: { "work/clouds.yaml": "", [home]: one(passwordAuth) } },
  { title: "a file that is a list", files: { "work/clouds.yaml": "- a\n", [home]: one(passwordAuth) } },
  { title: "no auth_url", files: { [home]: one("\n    auth:\n      username: a\n      password: p") } },
  {
    title: "password missing",
    files: { [home]: one(passwordAuth.replace(/\n {6}password: .*/, "")) },
    differs: "openstacksdk notices at Keystone; we say what is missing before",
  },
  { title: "unknown auth_type", files: { [home]: one(`\n    auth_type: v3telepathy${passwordAuth}`) } },
  {
    title: "federation",
    files: {
      [home]: one(
        "\n    auth_type: v3oidcpassword\n    auth:\n      auth_url: https://k.example.org/v3\n      identity_provider: i\n      protocol: openid\n      client_id: c\n      client_secret: s\n      username: u\n      password: p\n      discovery_endpoint: https://i.example.org/d",
      ),
    },
    differs: "federated logins (v3oidc*, v3oauth2*, v3websso) are refused by name: use an application credential",
  },
];
