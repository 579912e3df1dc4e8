// Every way into Ironic, on two Ironics: one deployment through each, with openstacksdk logging in with the same file.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { whyNoDebian } from "../../lab/debian.ts";
import { type Lab, type LabOptions, openLab, startLab } from "../../lab/lab.ts";
import { config, deployment } from "./recipes.ts";
import { Stack } from "./stack.ts";

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

/** What users see when a way in is wrong. */
const wrong: { title: string; cloud: string; settings: Record<string, unknown>; message: RegExp }[] = [
  {
    title: "wrong password",
    cloud: "lab",
    settings: { password: "n0t-this-one" },
    message: /answered 401[^\n]*(password|user)/i,
  },
  { title: "unreachable host", cloud: "lab", settings: { endpoint: "https://127.0.0.1:9" }, message: /ECONNREFUSED/ },
  { title: "role too weak", cloud: "lab-reader", settings: {}, message: /answered 403/ },
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

      if (options.auth === "keystone" && flavour === "latest")
        for (const { title, cloud, settings, message } of wrong)
          it(`says what is wrong: ${title}`, async () => {
            stack = await Stack.init({ env: { ...lab.env, OS_CLOUD: cloud } });
            for (const [key, value] of Object.entries(settings)) {
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
