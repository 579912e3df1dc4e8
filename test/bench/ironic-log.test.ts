// Figures of the benchmark from a log of Ironic's.
import { expect } from "chai";
import { figuresOf, parseSpan } from "../../bench/ironic-log.ts";

const uuid = "432c627c-ade6-4e87-a33d-82e1b6e82191";
const request = (time: string, what: string, ms: number) =>
  `2026-11-24 05:58:${time} 4789 INFO ironic.api [None req-1 - - - - - -] 127.0.0.1 - ${what} (${ms.toFixed(2)}ms)`;
const moved = (time: string, state: string, from: string) =>
  `2026-11-24 05:58:${time} 4789 INFO ironic.conductor.task_manager [None req-2 - - - - - -] Node ${uuid} moved to provision state "${state}" from state "${from}"; target provision state is "None"`;

const log = [
  request("40.000", `GET /v1/nodes/${uuid} - 200`, 10),
  request("40.200", `PATCH /v1/nodes/${uuid} - 200`, 100),
  request("40.300", "GET /v1/nodes?provision_state=clean%20wait&fields=uuid,maintenance - 200", 10),
  moved("40.400", "deploying", "available"),
  request("40.450", `PUT /v1/nodes/${uuid}/states/provision - 202`, 100),
  moved("41.000", "active", "deploying"),
  request("41.005", "GET /v1/nodes?fields=uuid - 200", 100),
  request("41.300", `GET /v1/nodes/${uuid}?fields=uuid,provision_state - 200`, 20),
  request("41.400", `GET /v1/nodes/${uuid}/validate - 200`, 20),
].join("\n");

describe("Ironic's log", () => {
  it("tells when the first write began, when the node was active, and who saw it first", () => {
    const figures = figuresOf(parseSpan(log), [{ uuid, name: "node-0" }]);
    // The list that was begun before the change does not count, though it was answered after it.
    expect(figures.seconds).to.be.closeTo(1.2, 0.001);
    expect(figures.activeSeconds).to.be.closeTo(0.9, 0.001);
    expect(figures.noticedMedian).to.be.closeTo(0.3, 0.001);
    expect(figures.active).to.equal(1);
  });

  it("counts requests of nodes and polls apart, and not those of the lab's own agent", () => {
    const figures = figuresOf(parseSpan(log), [{ uuid, name: "node-0" }]);
    expect(figures.requestsPerNode).to.equal(4);
    expect(figures.polls).to.equal(2);
  });
});
