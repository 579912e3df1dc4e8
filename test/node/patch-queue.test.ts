import { expect } from "chai";
import type { Client } from "../../provider/http/client.ts";
import { createPatchQueue } from "../../provider/node/patch-queue.ts";
import { rejection } from "../fakes/http-server.ts";

describe("two PATCHes of one node", () => {
  const scene = () => {
    const sent: string[] = [];
    const answers: (() => void)[] = [];
    const client = {
      send: (_method: string, _path: string, { operation }: { operation: string }) => {
        sent.push(operation);
        return new Promise<void>((resolve) => answers.push(resolve));
      },
    } as unknown as Client;
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const patches = createPatchQueue(client);
    const patch = (operation: string, signal?: AbortSignal) => patches.patch("worker-1", [], operation, signal);
    return { sent, patch, turn, answer: () => turn().then(() => answers.shift()?.()) };
  };

  it("are sent one after the other", async () => {
    const { sent, patch, turn, answer } = scene();
    const both = Promise.all([patch("first"), patch("second")]);
    await turn();
    expect(sent).to.deep.equal(["first"]);
    await answer();
    await answer();
    await both;
    expect(sent).to.deep.equal(["first", "second"]);
  });

  it("do not hold up who leaves the queue, and keep their order without it", async () => {
    const { sent, patch, turn, answer } = scene();
    const leaves = new AbortController();
    const first = patch("first");
    const second = rejection(patch("second", leaves.signal));
    leaves.abort(new Error("it is over"));
    expect((await second).message).to.equal("it is over");
    const third = patch("third");
    await turn();
    expect(sent).to.deep.equal(["first"]);
    await answer();
    await first;
    await answer();
    await third;
    expect(sent).to.deep.equal(["first", "third"]);
  });
});
