import { expect } from "chai";
import { lagging, Replica } from "../../chaos/lag.ts";
import { seeds } from "./seeds.ts";

const MOST_MS = 3_000;
const of = (provision_state: string, more: object = {}) => ({ uuid: "u-1", provision_state, ...more });

describe("a replica that lags", () => {
  it("shows a node as it was at one moment, as old as is asked for where it knows that", () => {
    const replica = new Replica(MOST_MS);
    replica.note(of("available"), 1_000);
    replica.note(of("deploying"), 2_000);
    expect(replica.before(of("active"), 3_000, 1_500)).to.deep.equal({ at: 1_000, body: of("available") });
    expect(replica.before(of("active"), 3_000, 500)).to.deep.equal({ at: 2_000, body: of("deploying") });
    expect(replica.before(of("active"), 3_000, 2_900)).to.deep.equal({ at: 1_000, body: of("available") });
  });

  it("gives all fields from the same moment, and never one that it has not seen", () => {
    const replica = new Replica(MOST_MS);
    replica.note(of("available", { instance_uuid: null }), 1_000);
    replica.note(of("deploying"), 2_000);
    const asked = of("active", { instance_uuid: "i" });
    expect(replica.before(asked, 2_500, 100)?.body).to.deep.equal(of("available", { instance_uuid: null }));
    expect(replica.before(of("active", { extra: {} }), 2_500, 100)).to.equal(undefined);
  });

  it("is never later than its limit", () => {
    const replica = new Replica(MOST_MS);
    replica.note(of("available"), 0);
    expect(replica.before(of("active"), MOST_MS + 1, 100)).to.equal(undefined);
  });
});

describe("reads that lag", () => {
  const answers = (share: number) => {
    const lag = lagging(7, "up 1", share, MOST_MS, new Replica(MOST_MS));
    return seeds(60).map((nth) => lag.answer("/v1/nodes", { nodes: [of(`state ${nth}`)], next: "n" }, nth * 100));
  };

  it("are the same for the same seed, a share of all, and older than what Ironic says", () => {
    expect(answers(0.5)).to.deep.equal(answers(0.5));
    const late = answers(0.5).filter((answer) => answer !== undefined);
    expect(late.length).to.be.within(15, 45);
    for (const { ageMs, body } of late) {
      expect(ageMs).to.be.within(1, MOST_MS);
      expect(body).to.include({ next: "n" });
    }
  });

  it("are none where none shall be, and leave alone what is no node", () => {
    expect(answers(0).filter((answer) => answer !== undefined)).to.deep.equal([]);
    const lag = lagging(7, "up 1", 1, MOST_MS, new Replica(MOST_MS));
    for (const body of [undefined, [], { versions: [] }, { ports: [{ uuid: "p" }] }])
      expect(lag.answer("/", body, 1)).to.equal(undefined);
  });
});
