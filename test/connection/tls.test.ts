import { expect } from "chai";
import type { Raw, Surroundings } from "../../provider/connection/cloud-files.ts";
import type { Settings } from "../../provider/connection/keys.ts";
import { tlsOf } from "../../provider/connection/tls.ts";
import { ProblemError } from "../../provider/core/errors.ts";

const pem = (name: string): string => `-----BEGIN CERTIFICATE-----\n${name}\n`;
const FILES: Record<string, string> = {
  "/ca.pem": pem("ca"),
  "/home/u/own.pem": pem("own"),
  "/key.pem": pem("key"),
  "/env.pem": pem("env"),
  "/text": "hello",
};
const tls = (settings: Settings, config: Raw = {}, env: NodeJS.ProcessEnv = {}) => {
  const around: Surroundings = {
    env,
    cwd: "/",
    home: "/home/u",
    platform: "linux",
    readFile: (path) => FILES[path],
  };
  return tlsOf(settings, config, around);
};
type Tls = ReturnType<typeof tls>;

describe("certificates", () => {
  const ROWS: readonly [what: string, found: Tls, wanted: Partial<Tls>][] = [
    [
      "nothing",
      tls({}),
      { insecure: false, caCertificate: undefined, clientCertificate: undefined, clientKey: undefined },
    ],
    ["a path", tls({ caCertificate: "/ca.pem" }), { caCertificate: pem("ca") }],
    ["the text itself", tls({ caCertificate: pem("text") }), { caCertificate: pem("text") }],
    [
      "the stack before the cloud",
      tls({ caCertificate: "/ca.pem" }, { cacert: "/own.pem" }),
      { caCertificate: pem("ca") },
    ],
    [
      "the cloud before the environment",
      tls({}, { cacert: "/ca.pem" }, { REQUESTS_CA_BUNDLE: "/env.pem" }),
      { caCertificate: pem("ca") },
    ],
    ["the environment", tls({}, {}, { CURL_CA_BUNDLE: "/env.pem" }), { caCertificate: pem("env") }],
    ["a path in verify", tls({}, { verify: "/ca.pem" }), { insecure: false, caCertificate: pem("ca") }],
    ["verify: false", tls({}, { verify: false, cacert: "/none" }), { insecure: true, caCertificate: undefined }],
    ["verify: no", tls({}, { verify: "no" }), { insecure: true }],
    ["the stack's insecure over the cloud's", tls({ insecure: "false" }, { insecure: true }), { insecure: false }],
    [
      "one file with both",
      tls({ clientCertificate: "~/own.pem" }),
      { clientCertificate: pem("own"), clientKey: pem("own") },
    ],
    [
      "a key of its own",
      tls({ clientKey: "/key.pem" }, { cert: "~/own.pem" }),
      { clientCertificate: pem("own"), clientKey: pem("key") },
    ],
    [
      "a text with what openssl writes before a key",
      tls({ clientCertificate: "/ca.pem", clientKey: `Bag Attributes\n    localKeyID: 01\n${pem("key")}` }),
      { clientKey: `Bag Attributes\n    localKeyID: 01\n${pem("key")}` },
    ],
    [
      "such a text in clouds.yaml",
      tls({}, { cert: `subject=CN=me\n${pem("c")}`, key: `Bag Attributes\n${pem("k")}`, cacert: `x\n${pem("ca")}` }),
      {
        caCertificate: `x\n${pem("ca")}`,
        clientCertificate: `subject=CN=me\n${pem("c")}`,
        clientKey: `Bag Attributes\n${pem("k")}`,
      },
    ],
    ["a key without a certificate", tls({ clientKey: "/key.pem" }), { clientKey: undefined }],
  ];
  for (const [what, found, wanted] of ROWS) it(`are found by ${what}`, () => expect(found).to.deep.include(wanted));

  const SECRETS: readonly string[] = [
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg",
    "Bag Attributes\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg",
    `/${"MIGH".repeat(70)}`,
    "Bag Attributes\n    localKeyID: 01.pem",
    "/key\0MIGHAgEAMBMGByqGSM49.pem",
    "hunter22",
  ];
  for (const name of ["caCertificate", "clientCertificate", "clientKey"] as const)
    for (const value of SECRETS)
      it(`do not show ${name} ${JSON.stringify(value).slice(0, 40)}, which is no path`, () =>
        expect(() => tls({ clientCertificate: pem("c"), [name]: value }))
          .to.throw(ProblemError)
          .with.property("message")
          .that.matches(/the file that is named cannot be read/)
          .and.does.not.contain(value));

  for (const settings of [{ caCertificate: "/none" }, { caCertificate: "/text" }, { clientCertificate: "/none" }])
    it(`${JSON.stringify(settings)} names what is no certificate`, () =>
      expect(() => tls(settings))
        .to.throw(ProblemError)
        .with.property("message")
        .that.contains(Object.values(settings)[0]));
});
