// The stack's identity is what its nodes are marked with: whatever happens to the resource, the value stays.
import { expect } from "chai";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment } from "./recipes.ts";

describe("the stack's identity (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(() => stack.remove());

  const IDENTITY = ["StackIdentity", "pulumi-ironic-identity"] as const;
  const stackId = async (): Promise<string> => (await stack.stateOf(...IDENTITY)).outputs.stackId;

  it("keeps its value through up --replace and state taint; the machine runs on, is updated and given back", async () => {
    const node = await judge.take();
    const before = await judge.settings(node);
    const program = (kernelArguments: string) => [config("w", node), deployment("w", judge.lab, { kernelArguments })];
    stack.resources = program("one");
    await stack.up();
    const [urn, first] = [stack.urn(...IDENTITY), await stackId()];
    await judge.untouched(node, async () => {
      const said = await stack.preview("--replace", urn);
      expect(said).to.match(/StackIdentity .*replace/);
      expect(said).to.not.match(/(Config|Deployment) w .*(replace|delete|update)/);
      await stack.up("--replace", urn);
      expect(await stackId()).to.equal(first);
      await stack.ok("state", "taint", urn, "--yes");
      await stack.up();
      expect(await stackId()).to.equal(first);
    });
    stack.resources = program("two");
    await stack.up();
    expect(judge.moves(node)).to.deep.equal(["deploying", "active", "deploying", "active"]);
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(before);
  });
});
