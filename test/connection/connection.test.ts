import { expect } from "chai";
import { describeEndpoint, secretsOf } from "../../provider/connection/connection.ts";
import { connectionKeyNames, secretConnectionKeys } from "../../provider/connection/keys.ts";
import { home, keystoneCloud, refusal, resolve } from "./resolved.ts";

const envKeystone = {
  OS_AUTH_URL: "https://k.example.org/v3",
  OS_USERNAME: "envy",
  OS_PASSWORD: "hunter22",
  OS_PROJECT_ID: "p1",
  OS_USER_DOMAIN_ID: "default",
};
const pem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";

describe("connection", () => {
  it("needs no more than an endpoint", () => {
    const connection = resolve({ endpoint: "http://127.0.0.1:6385" });
    expect(connection).to.deep.include({
      endpoint: "http://127.0.0.1:6385",
      auth: { kind: "none" },
      insecure: false,
      requestTimeoutMs: 60_000,
      concurrency: 32,
      warnings: [],
    });
    expect(secretsOf(connection)).to.deep.equal([]);
  });

  it("does not look for clouds of the machine when the stack names an endpoint or a Keystone", () => {
    expect(resolve({ endpoint: "http://i" }, {}, { [home]: keystoneCloud }).auth.kind).to.equal("none");
    const own = { authUrl: "https://other.example.org", username: "bob", password: "s3cret", userDomainId: "d" };
    const { auth } = resolve(own, {}, { [home]: keystoneCloud });
    expect(auth).to.deep.include({ authUrl: "https://other.example.org", scope: { kind: "unscoped" } });
  });

  it("lays an endpoint over the cloud of the environment", () => {
    const connection = resolve({ endpoint: "https://i.example.org" }, { OS_CLOUD: "lab" }, { [home]: keystoneCloud });
    expect(connection).to.deep.include({ endpoint: "https://i.example.org", region: "north" });
    expect(connection.auth).to.include({ kind: "keystone" });
  });

  it("takes nothing from the environment when the stack is complete", () => {
    const env = { ...envKeystone, OS_INSECURE: "true", OS_CLOUD: "nowhere" };
    const none = resolve({ endpoint: "http://i", authType: "none" }, env);
    expect(none).to.deep.include({ auth: { kind: "none" }, insecure: false });
    const basic = resolve({ endpoint: "http://i", username: "u", password: "s3cret" }, env);
    expect(basic.auth).to.deep.equal({ kind: "http_basic", username: "u", password: "s3cret" });
    expect(secretsOf(basic)).to.include("s3cret").and.include("u:s3cret");
  });

  it("never sends credentials kept for one Keystone to another", () => {
    const message = refusal({ authUrl: "https://other.example.org", userId: "bob" }, envKeystone);
    expect(message).to.contain("missing: password").and.contain("ironic:authUrl is another Keystone");
    const same = resolve({ authUrl: "https://k.example.org/v3/", username: "bob", userDomainId: "d" }, envKeystone);
    expect(same.auth).to.deep.include({
      methods: [{ name: "password", user: { name: "bob", domain: { id: "d" } }, password: "hunter22" }],
    });
  });

  const scopes: Array<[settings: Record<string, string>, scope: unknown]> = [
    [{ systemScope: "all" }, { kind: "system" }],
    [{ systemScope: "true" }, { kind: "system" }],
    [{ trustId: "t" }, { kind: "trust", id: "t" }],
    [{ projectId: "p2" }, { kind: "project", project: { id: "p2" } }],
    [
      { projectName: "n", projectDomainId: "d" },
      { kind: "project", project: { name: "n", domain: { id: "d" } } },
    ],
  ];
  for (const [settings, scope] of scopes) {
    it(`${JSON.stringify(settings)} replaces the scope of the environment`, () => {
      expect(resolve(settings, envKeystone).auth).to.deep.include({ scope });
    });
  }

  const logins: Array<[settings: Record<string, string>, methods: unknown]> = [
    [
      { authType: "keystone", username: "ann", userDomainName: "D", password: "s3cret" },
      [{ name: "password", user: { name: "ann", domain: { name: "D" } }, password: "s3cret" }],
    ],
    [
      { applicationCredentialId: "ac", applicationCredentialSecret: "s3cret" },
      [{ name: "application_credential", id: "ac", secret: "s3cret" }],
    ],
    [
      { applicationCredentialName: "ci", applicationCredentialSecret: "s3cret", userId: "u1" },
      [{ name: "application_credential", credentialName: "ci", user: { id: "u1" }, secret: "s3cret" }],
    ],
    [{ token: "t0ken" }, [{ name: "token", token: "t0ken" }]],
    [{ passcode: "123456", userId: "u1" }, [{ name: "totp", user: { id: "u1" }, passcode: "123456" }]],
    [
      { passcode: "123456", userId: "u1", password: "s3cret" },
      [
        { name: "password", user: { id: "u1" }, password: "s3cret" },
        { name: "totp", user: { id: "u1" }, passcode: "123456" },
      ],
    ],
    [
      { authType: "v3password", userId: "u1", password: "s3cret" },
      [{ name: "password", user: { id: "u1" }, password: "s3cret" }],
    ],
  ];
  for (const [settings, methods] of logins) {
    it(`logs in by ${Object.keys(settings).join(", ")}`, () => {
      expect(resolve({ authUrl: "https://k", ...settings }).auth).to.deep.include({ kind: "keystone", methods });
    });
  }

  it("names what it looked at and what won, never a value", () => {
    const text = refusal(
      { username: "ann" },
      { OS_CLOUD: "lab" },
      { [home]: keystoneCloud.replace(/.*auth_url.*\n/, "") },
    );
    expect(text).to.contain("missing: authUrl");
    expect(text).to.contain(`stack configuration (ironic:username); environment (OS_CLOUD); ${home} (clouds: lab)`);
    expect(text).to.contain(`Used: cloud "lab" of ${home}`);
  });

  it("reads certificates as text or as files", () => {
    const files = { "/project/c.pem": pem, "/home/u/k.pem": pem };
    const settings = {
      endpoint: "https://i",
      caCertificate: pem,
      clientCertificate: "/project/c.pem",
      clientKey: "~/k.pem",
    };
    expect(resolve(settings, {}, files)).to.include({
      clientCertificate: pem.trim() === "" ? "" : pem,
      clientKey: pem,
    });
    expect(resolve({ endpoint: "https://i", clientCertificate: "/project/c.pem" }, {}, files).clientKey).to.equal(pem);
  });

  it("warns every time that certificates are not verified", () => {
    const connection = resolve({ endpoint: "https://i", insecure: "true", caCertificate: "/nowhere" });
    expect(connection.insecure).to.equal(true);
    expect(connection.warnings).to.have.length(1);
  });

  it("takes version, time-out, interface and region", () => {
    const settings = {
      apiVersion: "1.72",
      requestTimeoutSeconds: "5",
      interface: '["internal","public"]',
      concurrency: "4",
    };
    expect(resolve({ endpoint: "http://i", ...settings, region: "r" })).to.deep.include({
      minor: 72,
      requestTimeoutMs: 5000,
      interfaces: ["internal", "public"],
      concurrency: 4,
      region: "r",
    });
    expect(resolve({ endpoint: "http://i", interface: "internalURL,public" }).interfaces).to.deep.equal([
      "internal",
      "public",
    ]);
    for (const apiVersion of ["1", "latest"])
      expect(resolve({ endpoint: "http://i", apiVersion }).minor).to.equal(undefined);
  });

  it("takes proxies from the environment, with their passwords as secrets", () => {
    const env = { https_proxy: "http://u:hunter22@proxy:3128", HTTP_PROXY: "proxy:8080", NO_PROXY: "10.0.0.0/8" };
    const { proxy } = resolve({ endpoint: "http://i" }, env);
    expect(proxy).to.deep.equal({
      http: "http://proxy:8080",
      https: "http://u:hunter22@proxy:3128",
      none: "10.0.0.0/8",
      secrets: ["hunter22"],
    });
  });

  it("is described without secrets", () => {
    expect(describeEndpoint(resolve({}, envKeystone))).to.equal(
      "the Ironic in the catalogue of https://k.example.org/v3",
    );
    expect(describeEndpoint(resolve({ endpoint: "http://i" }))).to.equal("http://i");
    expect(secretConnectionKeys).to.have.members([
      "password",
      "applicationCredentialSecret",
      "token",
      "passcode",
      "clientKey",
    ]);
    expect(connectionKeyNames).to.include("endpoint");
  });
});
