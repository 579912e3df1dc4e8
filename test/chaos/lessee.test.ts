import { expect } from "chai";
import type { Act } from "../../chaos/actors.ts";
import { createLessee } from "../../chaos/lessee.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER, LIARS_STACK } from "../../chaos/lies.ts";
import type { Passage } from "../../chaos/proxy.ts";

const act: Act = {
  lie: "no settings",
  node: "node-1",
  phase: "up",
  request: "PATCH",
  nth: 2,
  when: "after",
};
const patch = (node: string) => ({ method: "PATCH", path: `/v1/nodes/${node}` }) as Passage;

describe("a lessee", () => {
  let extra: Record<string, unknown>;
  let locked: number;
  let sent: string[];
  const api = async (method: string, path: string, body?: unknown) => {
    if (method !== "GET") sent.push(`${path} ${JSON.stringify(body)}`);
    const status = method === "PATCH" && locked-- > 0 ? 409 : 200;
    return { status, body: { extra }, headers: {} };
  };
  const lesseeOf = (acts: Act[], knows = false) =>
    createLessee(acts, {
      api,
      nodes: ["node-1"],
      nameOf: (ident) => ident.replace("u-", "node-"),
      knowsSettings: () => knows,
    });
  beforeEach(() => {
    extra = { [CONFIG_MARKER]: { stackId: "us" } };
    locked = 0;
    sent = [];
  });

  async function pass(watch: ReturnType<ReturnType<typeof lesseeOf>["watch"]>, node: string): Promise<void> {
    await watch("before", patch(node));
    await watch("after", patch(node));
  }

  it("writes once, at the nth request for the node in the phase", async () => {
    const lessee = lesseeOf([act]);
    for (const node of ["u-2", "u-1", "u-2"]) await pass(lessee.watch("up"), node);
    for (const node of ["u-1", "u-1"]) await pass(lessee.watch("update"), node);
    await lessee.settled();
    expect(sent).to.deep.equal([]);
    for (const node of ["u-1", "u-1", "u-1"]) await pass(lessee.watch("up"), node);
    await lessee.settled();
    expect(sent).to.have.length(1);
  });

  it("waits until there is something to lie about", async () => {
    const lessee = lesseeOf([{ ...act, nth: 1 }]);
    const marked = extra;
    extra = {};
    await pass(lessee.watch("up"), "u-1");
    await lessee.settled();
    expect({ sent, deeds: lessee.deeds, spoiled: lessee.tampering.size }).to.deep.equal({
      sent: [],
      deeds: [],
      spoiled: 0,
    });
    extra = marked;
    await pass(lessee.watch("up"), "u-1");
    await lessee.settled();
    expect(lessee.deeds.map(({ status }) => status)).to.deep.equal([200]);
  });

  for (const knows of [true, false])
    it(`remembers what it spoiled ${knows ? "after" : "before"} the state knew it`, async () => {
      const lessee = lesseeOf([{ ...act, nth: 1 }], knows);
      locked = 1;
      await pass(lessee.watch("up"), "u-1");
      await lessee.settled();
      expect(lessee.deeds.map(({ status }) => status)).to.deep.equal([200]);
      expect(lessee.tampering.get("node-1")).to.deep.equal({ isTouched: true, isLoose: !knows, deploymentLies: 0 });
    });

  it("takes back what names another stack when it rests", async () => {
    extra = { [CONFIG_MARKER]: { stackId: "us" }, [DEPLOYMENT_MARKER]: { stackId: LIARS_STACK } };
    await lesseeOf([]).retract();
    expect(sent).to.deep.equal([`/v1/nodes/node-1 [{"op":"remove","path":"/extra/${DEPLOYMENT_MARKER}"}]`]);
  });
});
