/** One case of a check at preview, and how it is judged. */
import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import type { Node, Port } from "../../provider/node/node.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { PlannedSettings } from "../../provider/run/settings-plan.ts";
import { INPUTS, scene } from "../fakes/deployments.ts";
import type { WorldOptions } from "../fakes/world.ts";

/** Nothing that anybody has to answer for. */
export const FILES = { kernel: "file:///a.kernel", ramdisk: "file:///a.initramfs" };

interface Case {
  title: string;
  node?: Partial<Node>;
  ports?: Partial<Port>[];
  inputs?: Props;
  /** What the program's BaremetalNodeConfig says of the node. */
  planned?: Partial<PlannedSettings>;
  /** Of the deployment in the state, beside those of the program. */
  olds?: Props;
  options?: WorldOptions;
  /** All of them, in order. */
  rejected?: RegExp[];
  warned?: RegExp[];
}

/** Every boot interface that these tests name is enabled, unless a case says otherwise. */
export const ANY: WorldOptions = { client: { driver: {} } };

const judge = async ({ node, ports, inputs, planned, olds, options }: Case) => {
  const w = scene(node, { ...ANY, ...options });
  if (ports) w.fake.ports = ports.map((port) => ({ ...(w.fake.ports[0] as Port), ...port }));
  if (planned) w.services.run.settings.add({ node: "worker-1", uncertain: false, ...planned });
  const news = { ...INPUTS, ...FILES, ...inputs };
  const check = deploymentHandler.check(olds && { ...news, ...olds }, news, w.services, w.call);
  const { failures } = await w.clock.run(check);
  return { rejected: failures.map(({ path, reason }) => `${path}: ${reason}`), warned: w.call.warnings };
};

export const runs = (cases: Case[]) => {
  for (const each of cases)
    it(each.title, async () => {
      const found = await judge(each);
      for (const kind of ["rejected", "warned"] as const) {
        const expected = each[kind] ?? [];
        expect(found[kind], kind).to.have.length(expected.length);
        for (const [index, text] of expected.entries()) expect(found[kind][index]).to.match(text);
      }
    });
};

export const settled = { bootInterface: undefined };
