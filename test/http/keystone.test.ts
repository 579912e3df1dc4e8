import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import { findEndpoint } from "../../provider/http/keystone.ts";
import { catalogue, ironic, keystone } from "./catalogue.ts";

describe("auth", () => {
  const find = (wanted: { interfaces?: string[]; region?: string }, services = catalogue) =>
    findEndpoint(services, { serviceType: "baremetal", interfaces: ["public"], authUrl: keystone, ...wanted });

  it("chooses from the catalogue by interface, in order, and region", () => {
    expect(find({})).to.equal(`${ironic}/baremetal`);
    expect(find({ region: "south" })).to.equal("https://south.example.org");
    expect(find({ interfaces: ["admin", "internal", "public"] })).to.equal("http://10.0.0.5:6385");
    const alias = [{ type: "bare-metal", endpoints: [{ interface: "publicURL", url: "http://old" }] }];
    expect(find({}, alias)).to.equal("http://old");
    expect(find({}, [...alias, ...catalogue])).to.equal(`${ironic}/baremetal`);
  });

  it("lists what the catalogue has when it lacks the endpoint", () => {
    expect(() => find({ region: "west" })).to.throw(
      ProblemError,
      /type baremetal, interface public, region west\. It has public in north, internal in north, public in south\. Set/,
    );
    expect(() => find({}, [{ type: "compute" }])).to.throw(ProblemError, /no such service \(types: compute\)/);
    expect(() => find({}, [])).to.throw(ProblemError, /the token has no scope/);
  });
});
