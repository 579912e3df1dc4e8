import { expect } from "chai";
import type { Raw } from "../../provider/connection/cloud-files.ts";
import {
  applyFixes,
  authTypeOf,
  gatherAuth,
  isTrue,
  knownAuthTypes,
  splitList,
} from "../../provider/connection/cloud-fixes.ts";

/** What the fixes make of a cloud, without the keys that they leave as they are. */
const authOf = (config: Raw): unknown => applyFixes(config).auth;

describe("old spellings of a cloud", () => {
  const SPELLINGS: readonly (readonly [what: string, config: Raw, auth: Raw])[] = [
    ["tenant for project", { auth: { tenant_id: "t", "tenant-name": "n" } }, { project_id: "t", project_name: "n" }],
    ["the newer of both", { auth: { "tenant-name": "old", "project-name": "new" } }, { project_name: "new" }],
    ["beside auth before inside", { passcode: "out", auth: { passcode: "in" } }, { passcode: "out" }],
    [
      "a later one inside before an earlier one beside",
      { tenant_id: "t", auth: { project_id: "p" } },
      { project_id: "p" },
    ],
    ["the token's old name", { auth_token: "t" }, { token: "t" }],
    [
      "flags and numbers as Python prints them",
      { auth: { passcode: 12n, token: true } },
      { passcode: "12", token: "True" },
    ],
    ["nothing for what is empty", { auth: { token: "", passcode: null, username: "u" } }, { username: "u" }],
    ["no auth at all", {}, {}],
  ];
  for (const [what, config, auth] of SPELLINGS) it(`have ${what}`, () => expect(authOf(config)).to.deep.equal(auth));

  const DOMAINS: readonly (readonly [what: string, config: Raw, auth: Raw])[] = [
    [
      "stands for user and project where there is a project",
      { auth: { project_name: "p", domain_id: "d" } },
      { project_name: "p", user_domain_id: "d", project_domain_id: "d" },
    ],
    [
      "leaves a domain that is given",
      { auth: { project_id: "p", domain_name: "d", user_domain_name: "u" } },
      { project_id: "p", user_domain_name: "u", project_domain_name: "d" },
    ],
    ["is the scope itself where there is none", { domain_name: "d", auth: {} }, { domain_name: "d" }],
  ];
  for (const [what, config, auth] of DOMAINS)
    it(`have one domain that ${what}`, () => expect(authOf(config)).to.deep.equal(auth));

  const NAMES: readonly (readonly [config: Raw, wanted: Raw])[] = [
    [{ baremetal_endpoint_type: "admin" }, { baremetal_interface: "admin" }],
    [{ endpoint_type: "internal" }, { interface: "internal" }],
    [{ baremetal_timeout: 9 }, { api_timeout: 9 }],
    [
      { timeout: 5, api_timeout: 7 },
      { timeout: 5, api_timeout: 7 },
    ],
    [{ auth_plugin: "token" }, { auth_type: "token" }],
    [{ auth_plugin: "token", auth_type: "password" }, { auth_type: "password" }],
    [{ insecure: "TRUE" }, { insecure: true }],
    [{ insecure: "1" }, { insecure: false }],
    [{ auth_methods: "v3password,v3totp" }, { auth_methods: ["v3password", "v3totp"] }],
  ];
  for (const [config, wanted] of NAMES)
    it(`are ${JSON.stringify(wanted)} for ${JSON.stringify(config)}`, () =>
      expect(applyFixes(config)).to.deep.equal({ auth: {}, auth_type: undefined, ...wanted }));

  it("are mended in a copy", () => {
    const config = { tenant_id: "t", auth: { "auth-token": "x" } };
    applyFixes(config);
    expect(config).to.deep.equal({ tenant_id: "t", auth: { "auth-token": "x" } });
  });

  for (const [value, list] of [
    [
      ["a", 5],
      ["a", "5"],
    ],
    ["a,b", ["a", "b"]],
    [undefined, []],
    [5, []],
  ] as const)
    it(`are a list ${JSON.stringify(list)} for ${JSON.stringify(value)}`, () =>
      expect(splitList(value)).to.deep.equal(list));

  it("are true only for the word", () => {
    expect([true, "true", "True"].map(isTrue)).to.deep.equal([true, true, true]);
    expect([1, "yes", "1", "", null, undefined].some(isTrue)).to.equal(false);
  });
});

describe("the options of a login", () => {
  for (const [given, name] of [
    ["", "none"],
    [undefined, "none"],
    ["None", "none"],
    ["token_endpoint", "admin_token"],
    ["v3password", "v3password"],
  ] as const)
    it(`are those of ${name} for ${JSON.stringify(given)}`, () => {
      expect(authTypeOf({ auth_type: given })).to.equal(name);
      expect(knownAuthTypes).to.include(name);
    });

  it("are taken from auth, else from beside it, and are then nowhere else", () => {
    const config: Raw = { username: "beside", password: "p", interface: "admin", auth: { username: "in", custom: 1 } };
    expect(gatherAuth("v3password", config)).to.deep.equal({ username: "in", password: "p", custom: 1 });
    expect(config).to.deep.equal({ interface: "admin", auth: { username: "in", password: "p", custom: 1 } });
  });

  it("have old names, which the new ones win over", () => {
    expect(gatherAuth("admin_token", { auth: { url: "http://i", token: "t" } })).to.deep.equal({
      endpoint: "http://i",
      token: "t",
    });
    expect(gatherAuth("http_basic", { user_name: "old", username: "new", auth: {} })).to.deep.equal({
      username: "new",
    });
  });

  it("are not those of another login", () =>
    expect(gatherAuth("v3token", { password: "p", default_domain_id: "d", token: "t" })).to.deep.equal({ token: "t" }));

  it("are those of each method of a login by several", () => {
    const config: Raw = { auth_methods: "v3password,v3totp", username: "u", password: "p", passcode: "1", token: "t" };
    const { auth_methods: _methods, ...options } = gatherAuth("v3multifactor", config);
    expect(options).to.deep.equal({ username: "u", password: "p", passcode: "1" });
  });
});
