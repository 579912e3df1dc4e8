// Every way into a lab's Ironic, opened with openstacksdk from the clouds.yaml that the lab writes.
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { Agent, fetch as undiciFetch } from "undici";
import { whyNoDebian } from "../../lab/debian.ts";
import { type Lab, type LabOptions, openLab, startLab } from "../../lab/lab.ts";

const execute = promisify(execFile);

/** Number of nodes that each cloud sees, or the kind of failure. */
const countNodes = `
import json, sys, openstack
seen = {}
for cloud, more in json.loads(sys.argv[1]).items():
    try:
        seen[cloud] = len(list(openstack.connect(cloud=cloud, **more).baremetal.nodes()))
    except Exception as problem:
        seen[cloud] = f"{type(problem).__name__}: {problem}"
print(json.dumps(seen))
`;

/** https://www.rfc-editor.org/rfc/rfc6238 */
function passcode(base32: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...base32].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const code = digest.readUInt32BE((digest.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(code % 1_000_000).padStart(6, "0");
}

async function seenBy(lab: Lab): Promise<Record<string, unknown>> {
  const clouds = Object.fromEntries(
    Object.keys(lab.clouds).map((name) => [
      name,
      name === "lab-totp" ? { passcode: passcode(lab.extras.totpSecret ?? "") } : {},
    ]),
  );
  const env = { ...process.env, ...lab.env };
  const { stdout } = await execute(lab.python, ["-c", countNodes, JSON.stringify(clouds)], { env });
  return JSON.parse(stdout);
}

const owners = ["owner", "manager", "member", "reader", "system-member", "system-reader"].map((name) => `lab-${name}`);
const credentials = ["application", "application-name", "token", "admin-token", "trust", "totp"].map(
  (name) => `lab-${name}`,
);
const allSee = (names: string[]) => Object.fromEntries(names.map((name) => [name, 2]));

const labs: { title: string; options: LabOptions; sees: Record<string, number>; api: string }[] = [
  { title: "http_basic", options: { auth: "basic" }, sees: allSee(["lab"]), api: "1.115" },
  { title: "TLS", options: { tls: true }, sees: allSee(["lab", "lab-mtls"]), api: "1.115" },
  {
    title: "Keystone behind TLS",
    options: { auth: "keystone", tls: true },
    sees: { ...allSee(["lab", "lab-mtls", ...owners, ...credentials]), "lab-stranger": 0, "lab-lessee": 0 },
    api: "1.115",
  },
  { title: "Debian's Ironic", options: { flavour: "debian" }, sees: allSee(["lab"]), api: "1.82" },
];

describe("lab doors", function () {
  this.timeout(900_000); // the first time, Keystone and Debian's packages are fetched
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lab-"));
  });
  afterEach(async () => {
    await openLab(dir)?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  for (const { title, options, sees, api } of labs)
    it(`${title}: openstacksdk logs in with each cloud of clouds.yaml`, async function () {
      const problem = options.flavour === "debian" ? whyNoDebian() : undefined;
      if (problem !== undefined) {
        process.stdout.write(`      skipped: ${problem}\n`);
        this.skip();
      }
      const lab = await startLab({ dir, nodes: 2, owned: true, ...options });
      expect(await seenBy(lab)).to.deep.equal(sees);
      const { headers } = await lab.ironicApi("GET", "/v1");
      expect(headers["x-openstack-ironic-api-maximum-version"]).to.equal(api);
    });

  it("TLS: nobody is let in without the right certificates or password", async () => {
    const lab = await startLab({ dir, nodes: 1, owned: true, auth: "basic", tls: true });
    const { ca = "", clientCert = "", clientKey = "", mutualUrl = "" } = lab.extras;
    const pem = (file: string) => readFileSync(file, "utf8");
    const get = (url: string, connect: object, path = "/v1/nodes") =>
      undiciFetch(`${url}${path}`, { dispatcher: new Agent({ connect }) }).then(
        (response) => response.status,
        (error) => String(error.cause?.code),
      );
    expect(await get(lab.url, {})).to.match(/VERIFY|SELF_SIGNED/);
    expect(await get(lab.url, { ca: pem(ca) })).to.equal(401);
    expect(await get(mutualUrl, { ca: pem(ca) })).to.be.a("string");
    const client = { ca: pem(ca), cert: pem(clientCert), key: pem(clientKey) };
    expect(await get(mutualUrl, client, "/v1")).to.equal(200);
  });
});
