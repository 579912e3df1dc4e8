import { expect } from "chai";
import {
  PROVISION_STATES,
  type ProvisionState,
  STATES,
  type StateRow,
  stateName,
  stateRow,
} from "../../provider/node/states.ts";
import { legal, VERBS } from "../fakes/node-rules.ts";

const rows = Object.entries(STATES) as [ProvisionState, StateRow][];
const { deleting: _, ...withoutDeleting } = STATES;
// A state without a row must not compile. tsc checks this line; nothing of it runs.
// @ts-expect-error deleting is missing
const incomplete: Readonly<Record<ProvisionState, StateRow>> = withoutDeleting;
// @ts-expect-error no such state
const strange: ProvisionState = "dancing";

describe("states", () => {
  it("are the thirty of Ironic's state machine, each with a row", () => {
    expect([...PROVISION_STATES].sort()).to.deep.equal(Object.keys(VERBS).sort());
    expect(rows.map(([state]) => state)).to.have.members([...PROVISION_STATES]);
    expect(Object.keys(incomplete)).to.have.length(PROVISION_STATES.length - 1);
    expect(stateRow(strange)).to.equal(undefined);
  });

  it("leave to their rules only verbs that are legal", () => {
    for (const [state, { release, deploy }] of rows) {
      if (release === "undeploy") expect(legal(state, "deleted"), `deleted in ${state}`).to.equal(true);
      if (release === "retryCleaning") expect(legal(state, "manage"), `manage in ${state}`).to.equal(true);
      if (deploy === "begin" || deploy === "retry") expect(legal(state, "active"), `active in ${state}`).to.equal(true);
      if (deploy === "compare") expect(legal(state, "rebuild"), `rebuild in ${state}`).to.equal(true);
    }
  });

  it("that leave by themselves or are held are waited for", () => {
    for (const [state, { kind, deploy }] of rows)
      if (kind === "moving" || kind === "held") expect(deploy, state).to.equal("wait");
  });

  it("let interfaces change exactly where Ironic does", () => {
    const places = rows.filter(([, { interfaces }]) => interfaces).map(([state]) => state);
    expect(places).to.have.members(["enroll", "manageable", "available", "inspect wait"]);
  });

  it("each say what a person can do", () => {
    for (const [state, { advice }] of rows) expect(advice, state).to.match(/^[A-Z].*[^.]$/);
  });

  it("of old APIs: null is available", () => {
    expect(stateRow(null)).to.equal(STATES.available);
    expect(stateName(null)).to.equal("available");
  });

  it("are not found in what every object has", () => {
    for (const name of ["constructor", "toString", "__proto__", ""]) expect(stateRow(name), name).to.equal(undefined);
  });
});
