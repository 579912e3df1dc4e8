import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import { home, keystoneCloud, refusal, resolve } from "./resolved.ts";

describe("connection", () => {
  const refusals: Array<[what: string, args: Parameters<typeof resolve>, pattern: RegExp]> = [
    [
      "nothing",
      [{}],
      /No Ironic is configured\. Looked at, in this order: stack configuration \(no ironic:\* keys\); environment/,
    ],
    [
      "a cloud that every object has by inheritance",
      [{ cloud: "toString" }, {}, { "/etc/openstack/clouds.yaml": "clouds: {}" }],
      /Cloud "toString" \(ironic:cloud\) was not found/,
    ],
    [
      "an unknown way",
      [{ endpoint: "http://i", authType: "magic" }],
      /ironic:authType is "magic"\. Use none, http_basic or keystone/,
    ],
    [
      "http_basic without a password",
      [{ endpoint: "http://i", authType: "http_basic", username: "u" }],
      /missing: password/,
    ],
    [
      "http_basic without an endpoint",
      [{ authType: "http_basic", username: "u", password: "s3cret" }],
      /missing: endpoint/,
    ],
    [
      "a user without a domain",
      [{ authUrl: "https://k", username: "u", password: "s3cret" }],
      /missing: userDomainName or userDomainId/,
    ],
    [
      "two scopes",
      [{ authUrl: "https://k", userId: "u", password: "s3cret", projectId: "p", trustId: "t" }],
      /more than one scope is set: project and trust/,
    ],
    [
      "part of a system",
      [{ authUrl: "https://k", userId: "u", password: "s3cret", systemScope: "some" }],
      /only "all" is allowed/,
    ],
    [
      "a file that is not there",
      [{ endpoint: "http://i", caCertificate: "~/ca.pem" }],
      /CA certificate: \/home\/u\/ca\.pem cannot be read/,
    ],
    ["a file that is no PEM", [{ endpoint: "http://i", caCertificate: "/c" }, {}, { "/c": "x" }], /not in PEM form/],
    [
      "an endpoint that is none",
      [{ endpoint: "ironic.example.org:6385" }],
      /is not an http:\/\/ or https:\/\/ address/,
    ],
    [
      "a password in the endpoint",
      [{ endpoint: "http://u:hunter22@i" }],
      /http:\/\/i contains a user name or password/,
    ],
    [
      "a password in the address of Keystone",
      [{ authUrl: "http://u:hunter22@k", userId: "u", password: "s3cret" }],
      /Keystone at k contains a user name or password/,
    ],
    [
      "a list of interfaces that is cut off",
      [{ endpoint: "http://i", interface: '["internal"' }],
      /ironic:interface is "\["internal""/,
    ],
    [
      "a version that is none",
      [{ endpoint: "http://i", apiVersion: "newest" }],
      /"newest" .* does not have the form 1\.N/,
    ],
    ["no time", [{ endpoint: "http://i", requestTimeoutSeconds: "0" }], /ironic:requestTimeoutSeconds is "0"/],
    ["too many at once", [{ endpoint: "http://i", concurrency: "5000" }], /at most 1000/],
    ["an unknown region", [{ region: "south" }, {}, { [home]: keystoneCloud }], /has no region "south" .* has "north"/],
    [
      "an application credential by the wrong way",
      [{}, { OS_AUTH_URL: "https://k", OS_APPLICATION_CREDENTIAL_SECRET: "s3cret" }],
      /auth_type is not v3applicationcredential/,
    ],
  ];
  const secret = "MIGHAgEAMBMG";
  const FAILING: readonly [what: string, args: Parameters<typeof resolve>, secrets: string[]][] = [
    ["the way to log in", [{ authType: "magic", password: "s3cret", clientKey: secret }], ["s3cret", secret]],
    ["a cloud", [{ cloud: "none", token: "t0ken" }, { OS_PASSWORD: "hunter22" }], ["t0ken", "hunter22"]],
    ["a number", [{ concurrency: "0", cloud: "lab" }, {}, { [home]: keystoneCloud }], ["hunter22"]],
    [
      "a certificate",
      [
        { endpoint: "http://i", clientCertificate: "/none", clientKey: `Bag\n${secret}` },
        { http_proxy: "http://u:pr0xy@p" },
      ],
      [`Bag\n${secret}`, "pr0xy"],
    ],
  ];
  for (const [what, [settings, env, files], secrets] of FAILING)
    it(`gives out its secrets before ${what} can fail`, () => {
      const given: string[] = [];
      expect(() => resolve(settings, env, files, (each) => given.push(each))).to.throw(ProblemError);
      expect(given).to.include.members(secrets);
    });

  it("keeps the path of a key readable, as it is what is wrong", () => {
    const given: string[] = [];
    const settings = { endpoint: "http://i", clientKey: "~/key.pem" };
    expect(() => resolve(settings, {}, {}, (each) => given.push(each))).to.throw("/home/u/key.pem cannot be read");
    expect(given).to.deep.equal([]);
  });

  for (const [what, args, pattern] of refusals) {
    it(`refuses ${what}`, () => expect(refusal(...args)).to.match(pattern));
  }
});
