/** To whom credentials may go, as far as that is known before anything is sent. */
import { expect } from "chai";
import { home, keystoneCloud, refusal, resolve } from "./resolved.ts";

const KEYSTONE = {
  OS_AUTH_URL: "https://k.example.org/v3",
  OS_USERNAME: "envy",
  OS_PASSWORD: "hunter22",
  OS_USER_DOMAIN_ID: "default",
};
const BASIC = { OS_AUTH_TYPE: "http_basic", OS_USERNAME: "envy", OS_PASSWORD: "hunter22" };
const TOKEN = { OS_AUTH_TYPE: "admin_token", OS_TOKEN: "t0ken", OS_ENDPOINT: "https://i.example.org/baremetal" };
const LOGIN = { authUrl: "https://k.example.org", userId: "u", password: "s3cret" };
const files = { [home]: keystoneCloud };

type Given = Parameters<typeof resolve>;

describe("credentials", () => {
  const REFUSED: readonly [what: string, given: Given, hosts: [other: string, known: string]][] = [
    [
      "of http_basic in the environment",
      [{ endpoint: "https://other.example.org" }, { ...BASIC, OS_ENDPOINT: "https://i.example.org" }],
      ["other.example.org", "https://i.example.org"],
    ],
    [
      "in a token of the environment",
      [{ endpoint: "http://10.0.0.9:6385" }, TOKEN],
      ["10.0.0.9", "https://i.example.org"],
    ],
    [
      "of a cloud that the stack names",
      [{ cloud: "lab", authUrl: "https://other.example.org" }, {}, files],
      ["other.example.org", "https://k.example.org"],
    ],
    [
      "of http_basic, where the cloud has a password in its address",
      [{ endpoint: "https://other" }, { ...BASIC, OS_ENDPOINT: "https://u:s3cret@i.example.org" }],
      ["other", "https://i.example.org"],
    ],
  ];
  for (const [what, given, [other, known]] of REFUSED) {
    it(`${what} go to no host that is named elsewhere`, () => {
      const message = refusal(...given);
      expect(message).to.contain(`is at the host ${other}, but`).and.contain(`are for ${known}.`);
      expect(message).to.contain(`\`ironic:allowCredentialsTo: ${other}\``);
    });
    it(`${what} go there where the host is written out`, () => {
      const [settings, ...rest] = given;
      const { auth } = resolve({ ...settings, allowCredentialsTo: `a.example.org, ${other.toUpperCase()}` }, ...rest);
      expect(auth.kind).not.to.equal("none");
    });
  }

  const ASKED: readonly [what: string, given: Given, asks: boolean][] = [
    [
      "the environment logs in and the stack names the endpoint",
      [{ endpoint: "https://i.example.org" }, KEYSTONE],
      true,
    ],
    ["OS_CLOUD logs in", [{ endpoint: "https://i.example.org" }, { OS_CLOUD: "lab" }, files], true],
    ["a cloud that the stack names logs in", [{ endpoint: "https://i", cloud: "lab" }, {}, files], true],
    [
      "the stack logs in and the environment names the endpoint",
      [LOGIN, { OS_BAREMETAL_ENDPOINT_OVERRIDE: "https://i" }],
      true,
    ],
    ["the stack says all", [{ ...LOGIN, endpoint: "https://i" }, KEYSTONE], false],
    ["the environment says all", [{}, { ...KEYSTONE, OS_BAREMETAL_ENDPOINT_OVERRIDE: "https://i" }], false],
    ["only the scope is the stack's", [{ projectId: "p" }, KEYSTONE], false],
    [
      "only the password is the stack's",
      [{ password: "s3cret" }, { ...KEYSTONE, OS_BAREMETAL_ENDPOINT_OVERRIDE: "https://i" }],
      false,
    ],
    [
      "the environment has the same host",
      [{ endpoint: "https://i:6385" }, { ...KEYSTONE, OS_BAREMETAL_ENDPOINT_OVERRIDE: "https://i" }],
      false,
    ],
    ["the host is allowed", [{ endpoint: "https://i", allowCredentialsTo: "i" }, KEYSTONE], false],
    [
      "the environment has no more than a password",
      [{ ...LOGIN, password: "", endpoint: "https://i" }, { OS_PASSWORD: "hunter22" }],
      false,
    ],
    ["there are none", [{ endpoint: "https://i", authType: "none" }, KEYSTONE], false],
  ];
  for (const [what, given, asks] of ASKED)
    it(`${asks ? "wait for the catalogue" : "go to the endpoint"} where ${what}`, () =>
      expect("endpointBeside" in resolve(...given)).to.equal(asks));

  for (const wrong of ["*", "https://i", "i:6385", "i/x", "u@i", "a,,b", "*.example.org"])
    it(`are allowed to hosts that are written out: not to ${wrong}`, () =>
      expect(refusal({ endpoint: "https://i", allowCredentialsTo: wrong })).to.contain("ironic:allowCredentialsTo is"));

  it("are allowed to an address of IPv6", () => {
    const settings = { endpoint: "https://[2001:db8::1]", allowCredentialsTo: "2001:DB8:0::1" };
    expect(resolve(settings, TOKEN).endpoint).to.equal("https://[2001:db8::1]");
  });

  const PLAIN: readonly [settings: Record<string, string>, warned: string[]][] = [
    [{ endpoint: "http://i", username: "u", password: "s3cret" }, ["http://i"]],
    [{ ...LOGIN, endpoint: "http://i:6385/baremetal" }, ["http://i:6385"]],
    [{ ...LOGIN, authUrl: "http://k:5000/v3" }, ["http://k:5000"]],
    [{ ...LOGIN, authUrl: "http://k", endpoint: "http://i" }, ["http://i", "http://k"]],
    [{ endpoint: "http://i", authType: "admin_token", token: "t0ken" }, ["http://i"]],
    [{ endpoint: "http://127.evil.example.org", username: "u", password: "s3cret" }, ["http://127.evil.example.org"]],
    [{ endpoint: "http://i" }, []],
    [{ endpoint: "https://i", username: "u", password: "s3cret" }, []],
    [{ endpoint: "http://127.0.0.1:6385", username: "u", password: "s3cret" }, []],
    [{ endpoint: "http://[::1]:6385", username: "u", password: "s3cret" }, []],
    [{ endpoint: "http://localhost", username: "u", password: "s3cret" }, []],
  ];
  for (const [settings, warned] of PLAIN)
    it(`warn where they are not encrypted: ${JSON.stringify(settings)}`, () => {
      const { warnings } = resolve(settings);
      expect(warnings.map(({ code }) => code)).to.deep.equal(warned.map(() => "credentials-unencrypted"));
      for (const [at, address] of warned.entries()) expect(warnings[at]?.text).to.contain(`go to ${address} without`);
    });
});
