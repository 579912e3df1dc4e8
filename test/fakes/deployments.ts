/** What the tests of RamdiskDeployment share. */

import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { instanceUuidFor } from "../../provider/node/identity.ts";

import type { Node } from "../../provider/node/node.ts";
import { deploymentBy, deploymentMarkBy } from "./identities.ts";
import { OTHER_INSTANCE } from "./nodes.ts";
import { type World, type WorldOptions, world } from "./world.ts";

export const A = { kernel: "http://images/a.kernel", ramdisk: "http://images/a.initramfs" };
export const B = { kernel: "http://images/b.kernel", ramdisk: "http://images/b.initramfs" };
export const INPUTS = { node: "worker-1", ...A, ...deploymentBy("stack-1", "worker") };
export const DRIVE = { meta_data: { name: "worker-1" } };
export const NODE = "00000000-0000-4000-8000-000000000001";
export const OURS = instanceUuidFor({ ...deploymentBy("stack-1", "worker"), nodeUuid: NODE });
/** No cleaning, so that tests of destroy are about destroy. */
const QUICK = { automated_clean: false };

export const scene = (node: Partial<Node> = {}, options: WorldOptions = {}): World =>
  world(deploymentHandler, { ...options, node: { ...QUICK, ...node } });

export const foreign = { ...deploymentMarkBy("stack-2", "theirs"), instanceUuid: OTHER_INSTANCE, preparedAt: null };

/** Nothing of ours is left on the node. */
export const isClean = ({ instance_uuid, instance_info, extra }: Node): void => {
  expect({ instance_uuid, instance_info, extra }).to.deep.equal({ instance_uuid: null, instance_info: {}, extra: {} });
};

/** A node that others had before, and have still. */
export const untouched = (w: World): void => {
  expect(w.client.writes.map(({ method, path }) => `${method} ${path}`)).to.deep.equal([]);
};

/** A conductor that dies while it cleans leaves the state without the maintenance. */
export const CLEAN_FAILURES = ["the cleaning failed", "the conductor died"] as const;

/** Lets the next cleaning fail and cuts the run off at request `cut` of those since; tells whether it came to that. */
export function cutRecovery(w: World, how: (typeof CLEAN_FAILURES)[number], cut: number): () => boolean {
  let died = how === "the cleaning failed";
  if (died) w.fake.fate.cleanFails = 1;
  let requests = 0;
  w.before(() => {
    if (!died && w.fake.node.provision_state === "cleaning") {
      died = true;
      w.ironic.move(w.fake, "clean failed");
    }
    const recovering = ["clean failed", "manageable"].includes(w.fake.node.provision_state ?? "");
    if (recovering && ++requests === cut) w.call.abort();
  });
  return () => cut > 0 && requests >= cut;
}
