/**
 * A member of the lessee's project: may write `extra`, whatever stands there, and nothing else (policies update_extra,
 * update:driver_info and update_instance_info of ironic/common/policy.py). What a stack's marks need is readable on nodes.
 */
import { instanceUuidFor } from "../../provider/node/identity.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import type { FakeNode } from "./fake-node.ts";
import { deploymentBy, deploymentMarkBy, settingsMarkBy } from "./identities.ts";
import type { FakeIronic } from "./ironic-model.ts";
import type { Deed } from "./operator-actions.ts";

/** Where the member wants the passwords of management controllers to be sent. */
const EVIL = "https://evil.test";
export const ADDRESS_KEY = "redfish_address";

/** The stack that the lies speak of, as its marks name it. */
const STACK = "stack-1";

type Marks = Record<string, unknown>;

const write = (ironic: FakeIronic, { node }: FakeNode, marks: Marks): void => {
  for (const [key, value] of Object.entries(marks))
    ironic.patch(node.uuid, [{ op: "add", path: `/extra/${key}`, value }]);
};

const remove = (ironic: FakeIronic, { node }: FakeNode, key: string): void => {
  if (key in node.extra) ironic.patch(node.uuid, [{ op: "remove", path: `/extra/${key}` }]);
};

/** By the name that nodes have at first. */
const nameOf = (node: Node): string => `worker-${Number(node.uuid.slice(-12))}`;

const markOf = (node: Node, key: string): Marks => (node.extra[key] ?? {}) as Marks;

/** Says of fields that this stack wrote what they have now, and that something else was there before. */
const forgedSettings =
  (previous: (node: Node) => Marks): Deed =>
  (ironic, fake) => {
    const { node } = fake;
    const before = previous(node);
    const now = (path: string): unknown => {
      const [column = "", key] = path.split("/");
      const value = (node as unknown as Marks)[column] ?? null;
      return key === undefined ? value : ((value as Marks | null)?.[key] ?? null);
    };
    const written = Object.fromEntries(Object.keys(before).map((path) => [path, now(path)]));
    const stood = markOf(node, CONFIG_MARKER);
    write(ironic, fake, {
      [CONFIG_MARKER]: {
        ...settingsMarkBy(STACK, nameOf(node)),
        ...stood,
        written: { ...(stood.written as Marks | undefined), ...written },
        previous: { ...(stood.previous as Marks | undefined), ...before },
        restorePending: true,
      },
    });
  };

const forgedDeployment =
  (fields: (node: Node) => Marks): Deed =>
  (ironic, fake) => {
    const { node } = fake;
    const identity = deploymentBy(STACK, nameOf(node));
    const genuine = {
      ...deploymentMarkBy(STACK, nameOf(node)),
      instanceUuid: instanceUuidFor({ ...identity, nodeUuid: node.uuid }),
      preparedAt: null,
    };
    write(ironic, fake, {
      [DEPLOYMENT_MARKER]: { ...genuine, ...markOf(node, DEPLOYMENT_MARKER), ...fields(node) },
    });
  };

const saved = new WeakMap<FakeNode, Marks>();

export const LESSEE_DEEDS = {
  forgeAddress: forgedSettings(() => ({ [`driver_info/${ADDRESS_KEY}`]: EVIL, description: "evil" })),
  forgeCleaningOff: forgedSettings(() => ({ automated_clean: false })),
  forgeKeep: forgedDeployment(() => ({ keep: true })),
  forgeProtected: forgedDeployment(() => ({ protected: true })),
  forgeCleanRetry: forgedDeployment((node) => ({ cleanRetry: node.provision_updated_at ?? true })),
  forgeHashes: forgedDeployment(() => ({ bootHash: "forged", driveHash: "forged", runningBootHash: "forged" })),
  /** Says that a machine of others is this stack's. */
  forgeForeign: (ironic, _fake) => {
    const fake = ironic.nodes.find(({ node }) => node.name === "foreign");
    if (!fake) return;
    const identity = deploymentMarkBy(STACK, "worker-1");
    write(ironic, fake, {
      [DEPLOYMENT_MARKER]: { ...identity, instanceUuid: fake.node.instance_uuid, preparedAt: null },
    });
  },
  saveMarks: (_ironic, fake) => {
    saved.set(fake, structuredClone(fake.node.extra));
  },
  replayMarks: (ironic, fake) => write(ironic, fake, structuredClone(saved.get(fake) ?? {})),
  removeSettingsMark: (ironic, fake) => remove(ironic, fake, CONFIG_MARKER),
  removeDeploymentMark: (ironic, fake) => remove(ironic, fake, DEPLOYMENT_MARKER),
} satisfies Record<string, Deed>;
