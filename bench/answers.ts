/**
 * npm run bench:answers: what it costs to parse a list of 1,000 nodes with its shape, beside JSON.parse of the same text in
 * the same run. The first parse is cold: it compiles the shape. Machines differ, so that the ratio is what counts.
 */

import { pageOf, type Shape } from "../provider/http/index.ts";
import { parseBody } from "../provider/http/shape.ts";
import { lightNodePage, lightNodeSchema, nodeSchema, surveyedNodeSchema } from "../provider/node/node-schema.ts";
import { newNode } from "../test/fakes/fake-node.ts";

const NODES = 1_000;
const ROUNDS = 50;
const STAMP = "2026-01-01T00:00:00+00:00";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const timed = (work: () => unknown): number => {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
};

/** A node with as much in it as those of a real Ironic, unknown fields included. */
const node = (index: number) => ({
  ...newNode(index, STAMP, {
    provision_state: "active",
    instance_info: { kernel: "http://images/a.kernel", ramdisk: "http://images/a.initramfs", configdrive: "******" },
    driver_info: { redfish_address: "https://bmc.example.org", redfish_username: "admin", redfish_password: "******" },
    properties: { cpus: 32, memory_mb: 131_072, local_gb: 1_000, cpu_arch: "x86_64", capabilities: "boot_mode:uefi" },
    extra: { pulumi_ironic_deployment: { owner: "o", resource: "worker", instanceUuid: "i" } },
    traits: ["CUSTOM_A", "CUSTOM_B"],
  }),
  clean_step: {},
  deploy_step: { step: "deploy", interface: "deploy", priority: 100 },
  links: [{ href: "http://ironic.example.org/v1/nodes/x", rel: "self" }],
  driver_internal_info: { agent_version: "9.0", clean_steps: null },
});

function measure(title: string, page: Shape<unknown>, fields: readonly string[] | undefined): void {
  const nodes = Array.from({ length: NODES }, (_, index) =>
    Object.fromEntries(Object.entries(node(index)).filter(([key]) => fields?.includes(key) ?? true)),
  );
  const text = JSON.stringify({ nodes });
  const run = () => {
    let body: unknown;
    const json = timed(() => {
      body = JSON.parse(text);
    });
    const shape = timed(() => {
      const parsed = parseBody(page, body);
      if (!parsed.ok) throw new Error(parsed.fault);
    });
    return { json, shape };
  };
  const cold = run();
  const runs = Array.from({ length: ROUNDS }, run);
  const [json, shape] = [median(runs.map((each) => each.json)), median(runs.map((each) => each.shape))];
  say(
    `  ${title.padEnd(16)} JSON.parse ${json.toFixed(2)} ms, shape ${shape.toFixed(2)} ms (${(shape / json).toFixed(2)} times), first ${cold.json.toFixed(1)} and ${cold.shape.toFixed(1)} ms`,
  );
}

say(`${NODES} nodes, median of ${ROUNDS}; Node ${process.version}, ${process.arch}`);
measure("light", lightNodePage, Object.keys(lightNodeSchema.shape));
measure("for preflight", pageOf("nodes", surveyedNodeSchema), Object.keys(surveyedNodeSchema.shape));
measure("whole", pageOf("nodes", nodeSchema), undefined);
