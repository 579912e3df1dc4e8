import { expect } from "chai";
import { type Auth, readAuth, secretsOfAuth } from "../../provider/connection/credentials.ts";

const URL = { auth_url: "http://k/v3" };
const USER = { username: "u", user_domain_id: "d", password: "s3cret" };
const read = (authType: string, raw: Record<string, unknown>, config: Record<string, unknown> = {}) =>
  readAuth(authType, raw, config);
/** What it amounts to: the proof, or names of what is missing. */
const outcome = (authType: string, raw: Record<string, unknown>): unknown => {
  const result = read(authType, raw);
  return "auth" in result ? result.auth : result.wrong === undefined ? result.missing : "wrong";
};

describe("credentials", () => {
  const PASSWORD = { name: "password", user: { name: "u", domain: { id: "d" } }, password: "s3cret" };
  const keystone = (methods: unknown[], scope: unknown) => ({
    kind: "keystone",
    authUrl: "http://k/v3",
    methods,
    scope,
  });
  const ROWS: readonly [authType: string, raw: Record<string, unknown>, outcome: unknown][] = [
    ["none", {}, { kind: "none" }],
    ["http_basic", { username: "u", password: "s3cret" }, { kind: "http_basic", username: "u", password: "s3cret" }],
    ["http_basic", {}, ["username", "password"]],
    ["admin_token", { token: "t" }, { kind: "fixed_token", token: "t" }],
    ["admin_token", { token: "" }, ["token"]],
    ["magic", {}, "wrong"],
    ["password", { ...URL, ...USER }, keystone([PASSWORD], { kind: "unscoped" })],
    ["password", USER, ["auth_url"]],
    ["password", { ...URL, username: "u", password: 1 }, ["user_domain_name or user_domain_id"]],
    ["password", URL, ["username or user_id", "password"]],
    [
      "password",
      { ...URL, ...USER, project_name: "p", default_domain_id: "dd" },
      keystone([PASSWORD], { kind: "project", project: { name: "p", domain: { id: "dd" } } }),
    ],
    ["password", { ...URL, ...USER, project_name: "p" }, ["project_domain_name or project_domain_id"]],
    [
      "password",
      { ...URL, ...USER, domain_name: "x" },
      keystone([PASSWORD], { kind: "domain", domain: { name: "x" } }),
    ],
    ["password", { ...URL, ...USER, system_scope: "all" }, keystone([PASSWORD], { kind: "system" })],
    ["password", { ...URL, ...USER, system_scope: "some" }, "wrong"],
    ["password", { ...URL, ...USER, trust_id: "t" }, keystone([PASSWORD], { kind: "trust", id: "t" })],
    ["password", { ...URL, ...USER, project_id: "p", system_scope: "all" }, "wrong"],
    ["token", { ...URL, token: "t" }, keystone([{ name: "token", token: "t" }], { kind: "unscoped" })],
    [
      "v3applicationcredential",
      { ...URL, application_credential_id: "a", application_credential_secret: "s3cret", project_id: "p" },
      keystone([{ name: "application_credential", id: "a", secret: "s3cret" }], { kind: "unscoped" }),
    ],
    [
      "v3applicationcredential",
      { ...URL, application_credential_secret: "s3cret" },
      ["application_credential_id or application_credential_name"],
    ],
    [
      "v3multifactor",
      { ...URL, ...USER, passcode: "1", auth_methods: ["v3password", "v3totp"] },
      keystone([PASSWORD, { name: "totp", user: PASSWORD.user, passcode: "1" }], { kind: "unscoped" }),
    ],
    ["v3multifactor", { ...URL, ...USER }, ["auth_methods"]],
    ["v3multifactor", { ...URL, ...USER, auth_methods: "v3password,v3magic" }, "wrong"],
  ];
  for (const [authType, raw, wanted] of ROWS)
    it(`of ${authType} in ${JSON.stringify(raw)}`, () => expect(outcome(authType, raw)).to.deep.equal(wanted));

  it("say where the way to log in is not that of what is there", () => {
    const raw = { ...URL, application_credential_secret: "s3cret" };
    const result = read("password", raw);
    expect(result).to.have.property("wrong").that.contains("v3applicationcredential").and.does.not.contain("s3cret");
  });

  it("are secret, each in every form in which it is sent", () => {
    const rows: readonly [Auth, string[]][] = [
      [{ kind: "none" }, []],
      [{ kind: "http_basic", username: "u", password: "p" }, ["p", "u:p"]],
      [{ kind: "fixed_token", token: "t" }, ["t"]],
      [
        {
          kind: "keystone",
          authUrl: "http://k",
          scope: { kind: "unscoped" },
          methods: [
            { name: "password", user: {}, password: "a" },
            { name: "totp", user: {}, passcode: "b" },
            { name: "token", token: "c" },
            { name: "application_credential", secret: "d" },
          ],
        },
        ["a", "b", "c", "d"],
      ],
    ];
    for (const [auth, secrets] of rows) expect(secretsOfAuth(auth)).to.deep.equal(secrets);
  });
});
