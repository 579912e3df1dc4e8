import { expect } from "chai";
import {
  authOfSettings,
  authTypeOfSettings,
  connectionKeyNames,
  readSettings,
  replacedBy,
  type Settings,
} from "../../provider/connection/keys.ts";
import { ProblemError } from "../../provider/core/errors.ts";

describe("the keys of a connection", () => {
  it("count where they are set to something", () => {
    const values: Record<string, string> = { endpoint: " http://i ", username: "", token: "  ", unknown: "x" };
    expect(readSettings((key) => values[key])).to.deep.equal({ endpoint: "http://i" });
  });

  it("are asked for by name, each once", () => {
    const asked: string[] = [];
    readSettings((key) => void asked.push(key));
    expect(asked).to.deep.equal(connectionKeyNames);
  });

  it("become the options of clouds.yaml", () => {
    const settings = { endpoint: "http://i", authUrl: "http://k", userDomainId: "d", systemScope: "true" };
    expect(authOfSettings(settings)).to.deep.equal({ auth_url: "http://k", user_domain_id: "d", system_scope: "all" });
  });

  const REPLACED: readonly [settings: Settings, replaced: string[], kept: string[]][] = [
    [{ username: "u" }, ["user_id"], ["password"]],
    [{ username: "u", userId: "i" }, [], ["user_id", "username"]],
    [{ projectId: "p" }, ["project_name", "system_scope", "trust_id"], ["project_id"]],
    [{ systemScope: "all" }, ["project_id", "project_name", "domain_id", "trust_id"], ["system_scope"]],
    [{ password: "p" }, [], ["username", "user_id"]],
  ];
  for (const [settings, replaced, kept] of REPLACED)
    it(`${JSON.stringify(settings)} stop what would say the same otherwise`, () => {
      const found = replacedBy(settings);
      expect(found).to.include.members(replaced);
      for (const option of kept) expect(found).not.to.include(option);
    });

  const TYPES: readonly [settings: Settings, authType: string | undefined][] = [
    [{}, undefined],
    [{ endpoint: "i" }, undefined],
    [{ endpoint: "i", username: "u" }, undefined],
    [{ endpoint: "i", username: "u", password: "p" }, "http_basic"],
    [{ authUrl: "k", username: "u", password: "p" }, "password"],
    [{ authUrl: "k", token: "t" }, "token"],
    [{ passcode: "1" }, "v3totp"],
    [{ passcode: "1", password: "p" }, "v3multifactor"],
    [{ applicationCredentialId: "a", token: "t" }, "v3applicationcredential"],
    [{ authType: "none", token: "t" }, "none"],
    [{ authType: "keystone" }, undefined],
    [{ authType: "keystone", password: "p" }, "password"],
    [{ authType: "keystone", token: "t" }, "token"],
  ];
  for (const [settings, authType] of TYPES)
    it(`${JSON.stringify(settings)} mean the login ${authType}`, () =>
      expect(authTypeOfSettings(settings)).to.equal(authType));

  it("name a way to log in that exists", () =>
    expect(() => authTypeOfSettings({ authType: "magic" }))
      .to.throw(ProblemError)
      .with.property("message")
      .contains("magic"));
});
