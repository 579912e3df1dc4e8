/** What the tests of the poller begin with. */
import { IronicError } from "../../provider/core/errors.ts";
import type { Fault } from "../../provider/core/faults.ts";
import { recognise } from "../../provider/core/recognitions.ts";
import { askedBy, type CallOptions, type Client, type ReadOptions } from "../../provider/http/client.ts";
import type { LightNode } from "../../provider/node/node.ts";
import { createPoller } from "../../provider/node/poller.ts";
import { virtualClock } from "../fakes/clock.ts";
import { nodeIn } from "../fakes/nodes.ts";
import { shaped } from "../fakes/shaped.ts";

interface Asked {
  path: string;
  query: CallOptions["query"];
  atMs: number;
}

const refusal = (status: number, text: string, path: string, query: CallOptions["query"]): IronicError =>
  new IronicError({
    fault: recognise({ server: "ironic", status, text, asked: askedBy({ operation: "", query: query ?? {} }) }).fault,
    operation: "watch",
    request: `GET ${path}`,
    detail: text,
    status,
  });

/** A client that only reads, as slowly and as badly as the test says. */
export function scene() {
  const clock = virtualClock();
  const asked: Asked[] = [];
  let underWay = 0;
  const world = {
    nodes: [] as LightNode[],
    latencyMs: 0,
    pageSize: 1_000,
    most: 0,
    /** What a failure asks for. */
    retryAfterMs: 0,
    fail: (_path: string): Fault | undefined => undefined,
  };
  const client = {
    async get<T>(path: string, { query, shape }: ReadOptions<T>): Promise<T> {
      asked.push({ path, query, atMs: clock.now() });
      world.most = Math.max(world.most, ++underWay);
      await clock.sleep(world.latencyMs);
      underWay--;
      const fault = world.fail(path);
      const { retryAfterMs } = world;
      const fields = { operation: "watch", request: `GET ${path}`, detail: `it is ${fault}`, retryAfterMs };
      if (fault) throw new IronicError({ fault, ...fields });
      const answers = (body: unknown): T => shaped(shape, body, path);
      if (path !== "/nodes") return answers(world.nodes.find(({ uuid }) => path.endsWith(uuid)));
      const all = world.nodes.filter(({ instance_uuid }) => query?.associated !== "true" || instance_uuid !== null);
      const { marker } = query ?? {};
      const gone = marker !== undefined && !all.some(({ uuid }) => uuid === marker);
      if (gone) throw refusal(404, `Node ${marker} could not be found.`, path, query);
      const from = query?.marker ? all.findIndex(({ uuid }) => uuid === query.marker) + 1 : 0;
      const nodes = all.slice(from, from + world.pageSize);
      return answers({ nodes, ...(from + world.pageSize < all.length && { next: "more" }) });
    },
  } as unknown as Client;
  const add = (count: number): string[] => {
    for (let index = 0; index < count; index++)
      world.nodes.push({ ...nodeIn("deploying", "ours"), uuid: `n${world.nodes.length}` });
    return world.nodes.map(({ uuid }) => uuid);
  };
  const signal = new AbortController().signal;
  return { clock, asked, world, client, add, signal, poller: createPoller(client, clock, () => 0.5) };
}
