import { expect } from "chai";
import nock from "nock";
import type { Client } from "../../provider/http/client.ts";
import { seesAllNodes } from "../../provider/http/place.ts";
import { anything, clientFor, versionHeaders } from "../fakes/http-server.ts";
import { catalogue, ironic, keystone } from "./catalogue.ts";

const USER = { id: "u-1", name: "ops", domain: { id: "default", name: "Default" } };
const PASSWORD = { username: "ops", password: "hunter22", userDomainName: "Default" };
const endpoint = `${ironic}/baremetal`;

describe("where and as whom a client asks", () => {
  let client: Client | undefined;
  before(() => nock.disableNetConnect());
  after(() => nock.enableNetConnect());
  afterEach(async () => {
    await client?.close();
    nock.cleanAll();
  });

  const asked = async (settings: Record<string, string>) => {
    nock(ironic).get("/baremetal/v1").reply(200, {}, versionHeaders());
    nock(ironic).get("/baremetal/v1/x").reply(200, {});
    client = clientFor(settings);
    expect(client.here?.endpoint).to.equal(undefined);
    await client.get("/x", { shape: anything, operation: "read" });
    return client.here;
  };

  const logins: Array<
    [what: string, token: object, scope: string, account: string, settings?: Record<string, string>]
  > = [
    [
      "a project, also where an application credential did not name it",
      { user: USER, project: { id: "p-1", name: "lab" } },
      "project:p-1",
      'user "ops" (u-1) in the project "lab" (p-1)',
      { applicationCredentialId: "ac", applicationCredentialSecret: "hunter22" },
    ],
    ["the whole system", { user: USER, system: { all: true } }, "system", 'user "ops" (u-1) in the whole system'],
    [
      "a trust, which has its project as well",
      { user: USER, project: { id: "p-1" }, "OS-TRUST:trust": { id: "t-1" } },
      "trust:t-1",
      'user "ops" (u-1) in the trust t-1',
    ],
    ["a domain", { user: USER, domain: { id: "d-1" } }, "domain:d-1", 'user "ops" (u-1) in the domain d-1'],
    ["no scope", { user: USER, project: null }, "unscoped", 'user "ops" (u-1) in no project'],
    ["no user", {}, "unscoped", "an unknown user in no project"],
  ];
  for (const [what, token, scope, account, settings = PASSWORD] of logins)
    it(`is told by Keystone's token: ${what}`, async () => {
      nock(keystone)
        .post("/v3/auth/tokens")
        .reply(201, { token: { ...token, catalog: catalogue } }, { "x-subject-token": "t1" });
      const here = await asked({ authUrl: `${keystone}/v3`, region: "north", ...settings });
      expect(here).to.deep.equal({ endpoint, scope, account, region: "north" });
    });

  for (const [what, settings, scope, account] of [
    ["nobody logs in", { authType: "none" }, "none", "nobody (no authentication)"],
    ["http_basic", { authType: "http_basic", username: "ops", password: "hunter22" }, "none", 'user "ops"'],
    [
      "a fixed token",
      { authType: "admin_token", token: "hunter22" },
      "unknown",
      "the owner of a token that is sent as it is",
    ],
  ] as const)
    it(`is known without Keystone: ${what}`, async () => {
      expect(await asked({ endpoint: `${endpoint}/v1/`, ...settings })).to.deep.equal({ endpoint, scope, account });
    });

  it("is shown all nodes only without projects", () => {
    for (const scope of ["none", "system"]) expect(seesAllNodes(scope), scope).to.equal(true);
    for (const scope of ["project:p", "trust:t", "domain:d", "unscoped", "unknown", ""])
      expect(seesAllNodes(scope), scope).to.equal(false);
  });
});
