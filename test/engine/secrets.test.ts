import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type Judge, sharedJudge } from "./judge.ts";
import { config, deployment, drive } from "./recipes.ts";
import { Stack } from "./stack.ts";

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());

describe("secrets (engine)", () => {
  let judge: Judge;
  let stack: Stack;
  before(async () => {
    judge = await sharedJudge("plain");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(() => stack.remove());

  it("of drives stand nowhere in plain text: not in state, backend, history, output, differences or failures", async () => {
    const node = await judge.take();
    const planted = ["pl4nted-user-data", "pl4nted-vendor-data", "pl4nted-meta-data", "pl4nted-raw-drive"];
    const describeAll = (turn: string, kernel = judge.lab.images.kernel) => {
      stack.resources = [
        config("w", node),
        drive(
          "w",
          { ref: "config:w.node" },
          {
            metaData: { hostname: "w", token: { secret: `${planted[2]}-${turn}` } },
            userData: `#cloud-config\npassword: ${planted[0]}-${turn}\n`,
            vendorData: { "cloud-init": `#cloud-config\npassword: ${planted[1]}-${turn}\n` },
          },
        ),
        deployment("w", judge.lab, { configDrive: { ref: "drive:w.content" }, kernel }),
      ];
    };
    describeAll("one");
    await stack.preview("--diff");
    await stack.up();
    describeAll("two");
    await stack.preview("--diff");
    await stack.up("--diff");
    await stack.refresh("--diff");
    describeAll("three", `${judge.lab.images.url}/status/404/kernel`);
    await stack.fails("up", "--diff");
    const wrong = { node: { ref: "config:w.node" }, configDrive: { meta_data: {}, strange: planted[3] } };
    stack.resources = [...stack.resources.slice(0, 2), deployment("w", judge.lab, wrong)];
    await stack.fails("up");
    const texts = [
      stack.transcript,
      await stack.export(),
      ...filesBelow(stack.state).map((path) => readFileSync(path, "latin1")),
    ];
    const hits = planted.filter((secret) => texts.some((text) => text.includes(secret)));
    expect(texts.length).to.be.greaterThan(3);
    expect(hits).to.deep.equal([]);
    // The same search finds what is no secret: it can fail.
    expect(texts.some((text) => text.includes(judge.lab.images.ramdisk))).to.equal(true);
    await stack.destroy();
  });

  it("state of a deployment is small", async () => {
    const node = await judge.take();
    stack.resources = [
      config("w", node),
      drive(
        "w",
        { ref: "config:w.node" },
        {
          metaData: { hostname: "w" },
          network: { interfaces: [{ addresses: ["192.0.2.10/24"], gateway: "192.0.2.1" }] },
        },
      ),
      deployment("w", judge.lab, { configDrive: { ref: "drive:w.content" } }),
    ];
    await stack.up();
    const bytes = JSON.stringify(await stack.stateOf("RamdiskDeployment", "w")).length;
    process.stdout.write(`      state of one RamdiskDeployment with its drive: ${bytes} bytes\n`);
    expect(bytes).to.be.lessThan(8_000);
    await stack.destroy();
  });
});
