import { expect } from "chai";
import nock from "nock";
import { IronicError } from "../../provider/core/errors.ts";
import type { Client } from "../../provider/http/client.ts";
import {
  anything,
  clientFor,
  fault,
  rejection,
  type StepClock,
  stepClock,
  versionHeaders,
} from "../fakes/http-server.ts";
import { catalogue, ironic, keystone } from "./catalogue.ts";

const token = (lifeSeconds = 3600, services = catalogue) => {
  const issuedMs = Date.UTC(2030, 0, 1);
  return {
    token: {
      issued_at: new Date(issuedMs).toISOString(),
      expires_at: new Date(issuedMs + lifeSeconds * 1000).toISOString(),
      catalog: services,
    },
  };
};

const password = {
  authUrl: `${keystone}/v3`,
  username: "ann",
  password: "hunter22",
  userDomainName: "Default",
  projectName: "lab",
  projectDomainName: "Default",
  region: "north",
};

const grant = (value: string, lifeSeconds = 3600) =>
  nock(keystone).post("/v3/auth/tokens").reply(201, token(lifeSeconds), { "x-subject-token": value });

const greet = () => nock(ironic).get("/baremetal/v1").reply(200, {}, versionHeaders());

const reading = (value: string, times = 1) =>
  nock(ironic, { reqheaders: { "x-auth-token": value } })
    .get("/baremetal/v1/x")
    .times(times)
    .reply(200, {});

describe("auth", () => {
  let clock: StepClock;
  let client: Client | undefined;
  const connect = (settings: Record<string, string>): Client => {
    clock = stepClock();
    client = clientFor(settings, { clock });
    return client;
  };
  before(() => nock.disableNetConnect());
  after(() => nock.enableNetConnect());
  afterEach(async () => {
    await client?.close();
    expect(nock.pendingMocks()).to.deep.equal([]);
    nock.cleanAll();
  });

  it("logs in once for all who wait and finds Ironic in the catalogue", async () => {
    nock(keystone)
      .post("/v3/auth/tokens", {
        auth: {
          identity: {
            methods: ["password"],
            password: { user: { name: "ann", domain: { name: "Default" }, password: "hunter22" } },
          },
          scope: { project: { name: "lab", domain: { name: "Default" } } },
        },
      })
      .reply(201, token(), { "x-subject-token": "t1" });
    greet();
    reading("t1", 20);
    const { get } = connect(password);
    await Promise.all(Array.from({ length: 20 }, () => get("/x", { shape: anything, operation: "read" })));
    expect(client?.endpoint).to.equal(`${ironic}/baremetal`);
  });

  const bodies: Array<[what: string, settings: Record<string, string>, body: unknown]> = [
    [
      "an application credential, without a scope",
      { applicationCredentialId: "ac", applicationCredentialSecret: "s3cret", projectId: "p" },
      {
        auth: {
          identity: { methods: ["application_credential"], application_credential: { id: "ac", secret: "s3cret" } },
        },
      },
    ],
    [
      "an application credential by name",
      { applicationCredentialName: "ci", applicationCredentialSecret: "s3cret", username: "a", userDomainId: "d" },
      {
        auth: {
          identity: {
            methods: ["application_credential"],
            application_credential: { name: "ci", user: { name: "a", domain: { id: "d" } }, secret: "s3cret" },
          },
        },
      },
    ],
    [
      "a token, for the system",
      { token: "t0", systemScope: "all" },
      { auth: { identity: { methods: ["token"], token: { id: "t0" } }, scope: { system: { all: true } } } },
    ],
    [
      "password and passcode, for a trust",
      { userId: "u", password: "hunter22", passcode: "123456", trustId: "tr" },
      {
        auth: {
          identity: {
            methods: ["password", "totp"],
            password: { user: { id: "u", password: "hunter22" } },
            totp: { user: { id: "u", passcode: "123456" } },
          },
          scope: { "OS-TRUST:trust": { id: "tr" } },
        },
      },
    ],
    [
      "a domain",
      { userId: "u", password: "hunter22", domainName: "ops" },
      {
        auth: {
          identity: { methods: ["password"], password: { user: { id: "u", password: "hunter22" } } },
          scope: { domain: { name: "ops" } },
        },
      },
    ],
  ];
  for (const [what, settings, body] of bodies) {
    it(`logs in with ${what}`, async () => {
      nock(keystone)
        .post("/v3/auth/tokens", body as nock.DataMatcherMap)
        .reply(201, token(), { "x-subject-token": "t1" });
      greet();
      expect(await connect({ authUrl: `${keystone}/v3`, ...settings }).minor()).to.equal(115);
    });
  }

  for (const [what, discovery, prefix] of [
    [
      "the version that Keystone names",
      { versions: { values: [{ id: "v3.14", links: [{ rel: "self", href: `${keystone}/identity/v3/` }] }] } },
      "/identity/v3",
    ],
    [
      "the address it was asked at, if Keystone does not know its own",
      { versions: { values: [{ id: "v3.14", links: [{ rel: "self", href: "http://localhost:5000/v3/" }] }] } },
      "/v3",
    ],
    ["/v3, if nothing is told", {}, "/v3"],
  ] as const) {
    it(`uses ${what}`, async () => {
      nock(keystone).get("/").reply(300, discovery);
      nock(keystone).post(`${prefix}/auth/tokens`).reply(201, token(), { "x-subject-token": "t1" });
      greet();
      await connect({ ...password, authUrl: keystone }).minor();
    });
  }

  it("renews the token before its end", async () => {
    grant("t1", 600);
    greet();
    reading("t1", 2);
    const { get } = connect(password);
    await get("/x", { shape: anything, operation: "read" });
    await clock.sleep(530_000);
    await get("/x", { shape: anything, operation: "read" });
    await clock.sleep(20_000);
    grant("t2", 600);
    reading("t2");
    await get("/x", { shape: anything, operation: "read" });
  });

  it("renews a refused token once for all who were refused, writes included", async () => {
    grant("t1");
    greet();
    nock(ironic, { reqheaders: { "x-auth-token": "t1" } })
      .get("/baremetal/v1/x")
      .times(9)
      .reply(401, "expired");
    nock(ironic, { reqheaders: { "x-auth-token": "t1" } })
      .put("/baremetal/v1/x")
      .reply(401, "expired");
    const { get, send, minor } = connect(password);
    await minor();
    grant("t2");
    reading("t2", 9);
    nock(ironic, { reqheaders: { "x-auth-token": "t2" } })
      .put("/baremetal/v1/x")
      .reply(202, undefined, versionHeaders());
    await Promise.all([
      ...Array.from({ length: 9 }, () => get("/x", { shape: anything, operation: "read" })),
      send("PUT", "/x", { shape: anything, operation: "write" }),
    ]);
  });

  it("gives up when the new token is refused as well", async () => {
    grant("t1");
    greet();
    grant("t2");
    nock(ironic).get("/baremetal/v1/x").twice().reply(401, fault("not for you"));
    const error = await rejection(connect(password).get("/x", { shape: anything, operation: "read" }));
    expect(error).to.include({ fault: "unauthorized", status: 401 });
  });

  it("says that Keystone refused, and never the password", async () => {
    nock(keystone)
      .post("/v3/auth/tokens")
      .reply(401, { error: { message: "wrong: hunter22", code: 401 } }, { "x-openstack-request-id": "req-k" });
    const error = await rejection(connect(password).get("/x", { shape: anything, operation: "read" }));
    expect(error).to.be.instanceOf(IronicError);
    expect(error.message).to.equal(
      `Could not log in at Keystone ${keystone}/v3: Keystone answered 401 (req-k): wrong: [secret]. ` +
        "Check user, password or application credential, their domains, and that they are neither disabled nor expired. `pulumi refresh` and `destroy` use those that the last update stored: after a change, run `pulumi up` first.",
    );
  });

  it("knows a token that has ended, which Keystone does not find", async () => {
    nock(keystone)
      .post("/v3/auth/tokens")
      .reply(404, { error: { message: "Failed to validate token" } });
    const error = await rejection(connect({ authUrl: `${keystone}/v3`, token: "t0ken" }).minor());
    expect(error).to.include({ fault: "unauthorized", status: 404, code: "token-expired" });
    expect(error.message).to.contain("The token has expired or was revoked");
  });

  it("says that another factor is wanted", async () => {
    nock(keystone).post("/v3/auth/tokens").reply(401, {}, { "openstack-auth-receipt": "r" });
    expect((await rejection(connect(password).minor())).message).to.contain("another factor");
  });

  for (const [status, code] of [
    [302, "keystone-failed"],
    [400, "keystone-failed"],
    [401, "keystone-unauthorized"],
    [403, "keystone-forbidden"],
    [404, "keystone-failed"],
  ] as const)
    it(`gives Keystone's ${status} the code ${code}`, async () => {
      nock(keystone).post("/v3/auth/tokens").reply(status, {});
      expect((await rejection(connect(password).minor())) as { code?: string }).to.include({ status, code });
    });

  it("treats a Keystone that fails as one that was not reached: nothing was sent to Ironic", async () => {
    nock(keystone).post("/v3/auth/tokens").times(2).reply(500, "").post("/v3/auth/tokens").replyWithError("reset");
    grant("t1");
    greet();
    expect(await connect(password).minor()).to.equal(115);
    expect(clock.slept).to.have.length(3);
  });

  it("sends user and password of http_basic with every request, and does not renew them", async () => {
    const authorization = `Basic ${Buffer.from("ann:hunter22").toString("base64")}`;
    greet();
    nock(ironic, { reqheaders: { authorization } })
      .get("/baremetal/v1/x")
      .reply(401, `Authorization required ${authorization}`);
    const settings = { endpoint: `${ironic}/baremetal`, authType: "http_basic", username: "ann", password: "hunter22" };
    const error = await rejection(connect(settings).get("/x", { shape: anything, operation: "read" }));
    expect(error).to.include({ fault: "unauthorized" });
    expect(error.message).to.contain("Basic [secret]");
  });

  it("takes the endpoint from the configuration before the catalogue", async () => {
    grant("t1");
    greet();
    await connect({ ...password, endpoint: `${ironic}/baremetal` }).minor();
  });

  it("says which field of a login's answer is not as Keystone writes it", async () => {
    const body = { token: { expires_at: "2030-01-01T00:00:00Z", catalog: [{ type: "baremetal", endpoints: {} }] } };
    nock(keystone).post("/v3/auth/tokens").reply(201, body, { "x-subject-token": "t" });
    const error = await rejection(connect(password).get("/x", { shape: anything, operation: "read" }));
    expect(error.message).to.contain("POST /v3/auth/tokens: token.catalog[0].endpoints must be a list, got an object");
  });
});
