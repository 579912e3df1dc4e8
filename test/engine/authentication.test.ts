// Every way into Ironic, on two Ironics: one deployment through each, with openstacksdk logging in with the same file.
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parse, stringify } from "yaml";
import { whyNoDebian } from "../../lab/debian.ts";
import { type Lab, type LabOptions, openLab, startLab } from "../../lab/lab.ts";
import type { Described } from "./programs/described.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment } from "./recipes.ts";

const SEES = "import openstack, sys; print(openstack.connect().baremetal.get_node(sys.argv[1]).provision_state)";

const doors: { title: string; options: LabOptions; clouds: string[] }[] = [
  { title: "no authentication", options: {}, clouds: ["lab"] },
  { title: "http_basic over TLS", options: { auth: "basic", tls: true }, clouds: ["lab", "lab-mtls"] },
  {
    title: "Keystone over TLS",
    options: { auth: "keystone", tls: true },
    clouds: ["lab", "lab-owner", "lab-application", "lab-application-name", "lab-admin-token", "lab-trust", "lab-mtls"],
  },
];

/** Ironic lets only a system administrator switch cleaning off (policy baremetal:node:disable_cleaning). */
const PROJECT_SCOPE = ["lab-owner", "lab-application", "lab-application-name", "lab-admin-token", "lab-trust"];

/** What users see when a way in is wrong; `file` is a certificate that signed nothing. */
const wrong: { title: string; cloud: string; settings(file: string): Record<string, unknown>; message: RegExp }[] = [
  {
    title: "wrong password",
    cloud: "lab",
    settings: () => ({ password: "n0t-this-one" }),
    message: /answered 401[^\n]*(password|user)/i,
  },
  {
    title: "wrong authority",
    cloud: "lab",
    settings: (file) => ({ caCertificate: file }),
    message: /log in at Keystone https:[^\n]*certificate[^\n]*certificates/,
  },
  {
    title: "unreachable host",
    cloud: "lab",
    settings: () => ({ endpoint: "https://127.0.0.1:9" }),
    message: /ECONNREFUSED/,
  },
  {
    title: "unreachable Keystone",
    cloud: "lab",
    settings: () => ({
      authUrl: "https://127.0.0.1:9/v3",
      username: "admin",
      password: "n0t-this-one",
      userDomainName: "Default",
      systemScope: "all",
    }),
    message: /log in at Keystone https:..127\.0\.0\.1:9[^\n]*ECONNREFUSED[^\n]*auth_url/,
  },
  { title: "role too weak", cloud: "lab-reader", settings: () => ({}), message: /answered 403/ },
  { title: "another project", cloud: "lab-stranger", settings: () => ({}), message: /no such node|could not be found/ },
  {
    title: "a code is missing",
    cloud: "lab-totp",
    settings: () => ({}),
    message: /passcode/,
  },
];

/** https://www.rfc-editor.org/rfc/rfc6238 : the six digits of this half minute. */
function oneTimeCode(secret: string): string {
  const bits = [...secret].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  const key = Buffer.from(
    bits
      .join("")
      .match(/.{8}/g)
      ?.map((byte) => Number.parseInt(byte, 2)) ?? [],
  );
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac("sha1", key).update(counter).digest();
  return String((hash.readUInt32BE((hash.at(-1) ?? 0) & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** What a role may do beyond looking: docs/connection.md, "Least privilege". */
const roles: { cloud: string; settings: boolean; cleaningOff: { latest: boolean; debian: boolean } }[] = [
  { cloud: "lab-system-member", settings: true, cleaningOff: { latest: false, debian: true } },
  { cloud: "lab-manager", settings: true, cleaningOff: { latest: false, debian: true } },
  { cloud: "lab-member", settings: false, cleaningOff: { latest: false, debian: false } },
];

/** Only other names for doors that are there: once is enough. */
const ONLY_LATEST = ["lab-owner", "lab-application-name", "lab-trust"];

for (const flavour of ["latest", "debian"] as const)
  for (const { title, options, clouds } of doors)
    describe(`doors (engine): ${title}, ${flavour === "latest" ? "Ironic 39" : "Ironic 21.4"}`, function () {
      this.timeout(900_000); // the first time, Keystone and Debian's packages are fetched
      let dir: string;
      let lab: Lab;
      let stack: Stack;
      before(async function () {
        const problem = flavour === "debian" ? whyNoDebian() : undefined;
        if (problem !== undefined) {
          process.stdout.write(`      skipped: ${problem}\n`);
          this.skip();
        }
        dir = mkdtempSync(join(tmpdir(), "pulumi-ironic-doors-"));
        lab = await startLab({ dir, nodes: 2, owned: true, flavour, ...options });
      });
      after(async () => {
        if (dir === undefined) return;
        await openLab(dir)?.stop();
        rmSync(dir, { recursive: true, force: true });
      });
      afterEach(() => stack?.remove());

      const secretsOf = (cloud: string): string[] => {
        const file = parse(readFileSync(lab.env.OS_CLIENT_CONFIG_FILE, "utf8"));
        const { password, application_credential_secret: secret, token } = file.clouds[cloud].auth;
        return [password, secret, token].filter((value) => typeof value === "string");
      };

      for (const cloud of clouds.filter((name) => flavour === "latest" || !ONLY_LATEST.includes(name)))
        it(`${cloud}: up, refresh, destroy`, async () => {
          const env = { ...lab.env, OS_CLOUD: cloud };
          const settings = PROJECT_SCOPE.includes(cloud) ? { automatedCleaning: undefined } : {};
          stack = await Stack.init({ env });
          stack.resources = [config("w", "node-0", settings), deployment("w", lab, { kernelArguments: "one" })];
          await stack.up();
          const python = execFileSync(lab.python, ["-c", SEES, "node-0"], {
            env: { ...process.env, ...env },
            encoding: "utf8",
          });
          expect(python.trim()).to.equal("active");
          await stack.refresh("--expect-no-changes");
          stack.resources = [config("w", "node-0", settings), deployment("w", lab, { kernelArguments: "two" })];
          await stack.up();
          expect((await lab.node("node-0")).instance_info).to.include({ ramdisk_kernel_arguments: "two" });
          await stack.destroy();
          const node = await lab.node("node-0");
          expect(node).to.include({ provision_state: "available", instance_uuid: null, boot_interface: "fake" });
          const text = stack.transcript + (await stack.export());
          expect(secretsOf(cloud).filter((secret) => text.includes(secret))).to.deep.equal([]);
        });

      if (options.auth === "keystone")
        for (const { cloud, settings, cleaningOff } of roles)
          it(`${cloud}: may do what is written down, and is refused the rest with nothing left behind`, async () => {
            stack = await Stack.init({ env: { ...lab.env, OS_CLOUD: cloud } });
            const before = await lab.node("node-0");
            const trial = async (allowed: boolean, resources: Described[]) => {
              stack.resources = resources;
              if (allowed) await stack.up();
              else
                expect(await stack.fails("up")).to.match(/answered 403[^\n]*baremetal:node:[^\n]*roles of the account/);
              await stack.destroy();
            };
            await trial(cleaningOff[flavour], [config("w", "node-0"), deployment("w", lab)]);
            await trial(settings, [config("w", "node-0", { automatedCleaning: undefined }), deployment("w", lab)]);
            expect(await lab.node("node-0")).to.deep.include({ extra: {}, boot_interface: before.boot_interface });
            const prepared = { deploy_interface: "ramdisk", boot_interface: "ipxe", automated_clean: false };
            const set = async (values: object) => {
              const ops = Object.entries(values).map(([key, value]) => ({ op: "replace", path: `/${key}`, value }));
              expect((await lab.ironicApi("PATCH", "/v1/nodes/node-0", ops)).status).to.equal(200);
            };
            await set(prepared);
            await trial(true, [deployment("w", lab, { node: "node-0" })]);
            await set(Object.fromEntries(Object.keys(prepared).map((key) => [key, before[key]])));
          });

      if (options.auth === "keystone" && flavour === "latest")
        it("lab-totp: a password and a one-time code, new for each command", async () => {
          stack = await Stack.init();
          const file = join(stack.folder, "clouds.yaml");
          const env = { OS_CLOUD: "lab-totp", OS_CLIENT_CONFIG_FILE: file };
          Object.assign(stack.env, env);
          const withCode = async <T>(work: () => Promise<T>): Promise<T> => {
            const { clouds } = parse(readFileSync(lab.env.OS_CLIENT_CONFIG_FILE, "utf8"));
            clouds["lab-totp"].auth.passcode = oneTimeCode(lab.extras.totpSecret ?? "");
            writeFileSync(file, stringify({ clouds }));
            return work();
          };
          stack.resources = [config("w", "node-0", { automatedCleaning: undefined }), deployment("w", lab)];
          await withCode(() => stack.up());
          const python = await withCode(async () =>
            execFileSync(lab.python, ["-c", SEES, "node-0"], { env: { ...process.env, ...env }, encoding: "utf8" }),
          );
          expect(python.trim()).to.equal("active");
          await withCode(() => stack.refresh("--expect-no-changes"));
          await withCode(() => stack.destroy());
          expect(await lab.node("node-0")).to.include({ provision_state: "available", instance_uuid: null });
        });

      if (options.auth === "keystone" && flavour === "latest")
        for (const { title, cloud, settings, message } of wrong)
          it(`says what is wrong: ${title}`, async () => {
            stack = await Stack.init({ env: { ...lab.env, OS_CLOUD: cloud } });
            const clouds = parse(readFileSync(lab.env.OS_CLIENT_CONFIG_FILE, "utf8")).clouds;
            for (const [key, value] of Object.entries(settings(clouds["lab-mtls"].cert))) {
              if (key === "password") await stack.ok("config", "set", "--secret", `ironic:${key}`, String(value));
              else stack.config({ [`ironic:${key}`]: value });
            }
            stack.resources = [config("w", "node-0"), deployment("w", lab)];
            const said = await stack.fails("up");
            process.stdout.write(
              `      ${said
                .split("\n")
                .find((line) => /error: (?!update failed)/.test(line))
                ?.trim()}\n`,
            );
            expect(said).to.match(message);
            expect(said).to.not.include("n0t-this-one");
          });
    });
