// The lab of a chaos run: nodes with different pasts, some of them in other hands.
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab/lab.ts";
import { addressOf } from "./lies.ts";
import type { Choice } from "./plan.ts";

type Op = { op: "add" | "replace"; path: string; value: unknown };

const THEIRS = { version: 1, stackId: "another-stack", resourceId: "ironic:Theirs::theirs", resourceName: "theirs" };

/** What others put on a node by which it is recognised as theirs. */
const HANDS: readonly { title: string; ops(): Op[] }[] = [
  { title: "instance", ops: () => [{ op: "add", path: "/instance_uuid", value: crypto.randomUUID() }] },
  {
    title: "deployment of another stack",
    ops: () => {
      const instanceUuid = crypto.randomUUID();
      const marker = { ...THEIRS, kind: "deployment", instanceUuid, preparedAt: null };
      return [
        { op: "add", path: "/instance_uuid", value: instanceUuid },
        { op: "add", path: "/extra/pulumi_ironic_deployment", value: marker },
      ];
    },
  },
  {
    title: "marked by another stack, no instance",
    ops: () => {
      const marker = { ...THEIRS, kind: "deployment", instanceUuid: crypto.randomUUID(), preparedAt: null };
      return [{ op: "add", path: "/extra/pulumi_ironic_deployment", value: marker }];
    },
  },
  {
    title: "settings of another stack",
    ops: () => [
      {
        op: "add",
        path: "/extra/pulumi_ironic",
        value: { ...THEIRS, previous: {}, written: {} },
      },
    ],
  },
];

/** Where the machine's controller is; drivers of the lab ask nobody. */
const address = (name: string): Op => ({
  op: "add",
  path: "/driver_info/redfish_address",
  value: addressOf(name),
});

/** The nodes are lent to a project whose members may write to `extra`. */
const lent = ({ extras: { lesseeProjectId } }: Lab): Op[] =>
  lesseeProjectId === undefined ? [] : [{ op: "add", path: "/lessee", value: lesseeProjectId }];

/** Pasts of free nodes, so that "as it was before" means something. */
const PASTS: readonly Op[][] = [
  [],
  [
    { op: "add", path: "/description", value: "rack 4, unit 11" },
    { op: "add", path: "/extra/asset", value: { tag: "A-17" } },
    { op: "add", path: "/properties/capabilities", value: "boot_mode:uefi,rack:4" },
  ],
  [
    { op: "add", path: "/deploy_interface", value: "ramdisk" },
    { op: "add", path: "/boot_interface", value: "ipxe" },
    { op: "add", path: "/automated_clean", value: false },
  ],
];
const READY_PAST = 2;

/** A quarter of the nodes, and of every sort one, where there are enough. */
const foreignShare = (count: number): number =>
  Math.min(Math.floor(count / 3), Math.max(HANDS.length, Math.ceil(count / 4)));

export interface Site extends Choice {
  lab: Lab;
}

async function patch(lab: Lab, name: string, ops: readonly Op[]): Promise<void> {
  if (ops.length === 0) return;
  for (let attempt = 0; ; attempt++) {
    const { status, body } = await lab.ironicApi("PATCH", `/v1/nodes/${name}`, ops);
    if (status === 200) return;
    if (status !== 409 || attempt > 50) throw new Error(`PATCH of ${name}: ${status} ${JSON.stringify(body)}`);
    await sleep(100);
  }
}

/** A deploy asks for its images; without a delay it would be over before anybody can be killed in it. */
const IMAGE_DELAY_MS = 300;
const STILL = ["available", "active"];

async function untilStill(lab: Lab, names: readonly string[]): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(200)) {
    const nodes = await Promise.all(names.map((name) => lab.node(name)));
    if (nodes.every(({ provision_state, reservation }) => STILL.includes(String(provision_state)) && !reservation))
      return;
  }
  throw new Error(`These nodes do not come to rest: ${names.join(", ")}`);
}

/** Gives the nodes of a fresh (or reset) lab their pasts and their holders. */
export async function furnish(lab: Lab): Promise<Site> {
  const names = lab.nodes.map(({ name }) => name);
  const foreignCount = foreignShare(names.length);
  const free = names.slice(0, names.length - foreignCount).map((name, index) => ({
    name,
    ready: index % PASTS.length === READY_PAST,
    past: PASTS[index % PASTS.length] ?? [],
  }));
  const foreign = names.slice(names.length - foreignCount);
  for (const { name, past } of free) await patch(lab, name, [address(name), ...lent(lab), ...past]);
  const { kernel, ramdisk } = lab.images;
  for (const [index, name] of foreign.entries()) {
    const ops = HANDS[index % HANDS.length]?.ops() ?? [];
    const boots: Op[] = [{ op: "add", path: "/instance_info", value: { kernel, ramdisk } }];
    await patch(lab, name, [...(PASTS[READY_PAST] ?? []), ...boots, ...ops]);
    // Every second one works for its holder.
    if (index % 2 === 0) await lab.ironicApi("PUT", `/v1/nodes/${name}/states/provision`, { target: "active" });
  }
  await untilStill(lab, foreign);
  for (const path of ["/kernel", "/iso"]) await lab.imageBehaviour(path, `delay/${IMAGE_DELAY_MS}`);
  return { lab, free: free.map(({ name, ready }) => ({ name, ready })), foreign };
}
