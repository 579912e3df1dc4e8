import { expect } from "chai";
import { concealed, thinned } from "../../chaos/hiding.ts";
import { nodeIn } from "../../chaos/requests.ts";

const isHidden = (ident: string) => ["node-1", "u-1"].includes(ident);

describe("the node of a request", () => {
  for (const [path, ident] of [
    ["/v1/nodes/u-1", "u-1"],
    ["/v1/nodes/u-1/states/provision", "u-1"],
    ["/v1/nodes/node%201?fields=uuid", "node 1"],
    ["/v1/ports?node=u-1&fields=address", "u-1"],
    ["/v1/nodes?fields=uuid", undefined],
    ["/v1/nodes/detail?limit=5", undefined],
    ["/v1", undefined],
  ] as const)
    it(`${path}: ${ident}`, () => {
      expect(nodeIn(path)).to.equal(ident);
    });
});

describe("a hidden node", () => {
  it("cannot be found, in Ironic's own words", () => {
    const { status, body = "" } = concealed("/v1/nodes/u-1/states/provision", isHidden) ?? {};
    expect(status).to.equal(404);
    expect(JSON.parse(JSON.parse(body).error_message).faultstring).to.equal("Node u-1 could not be found.");
    expect(concealed("/v1/nodes/u-2", isHidden)).to.equal(undefined);
    expect(concealed("/v1/nodes", isHidden)).to.equal(undefined);
  });

  it("is in no list, nor are its ports", () => {
    const other = { uuid: "u-2", name: "node-2" };
    expect(thinned({ nodes: [{ uuid: "u-1" }, other], next: "n" }, isHidden)).to.deep.equal({
      nodes: [other],
      next: "n",
    });
    expect(thinned({ ports: [{ uuid: "p", node_uuid: "u-1" }] }, isHidden)).to.deep.equal({ ports: [] });
    expect(thinned({ nodes: [other] }, isHidden)).to.equal(undefined);
  });
});
