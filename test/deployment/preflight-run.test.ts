import { expect } from "chai";
import { CancelledError } from "../../provider/core/errors.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import type { Client } from "../../provider/http/client.ts";
import { fakeServices } from "../fakes/call.ts";
import { INPUTS, scene } from "../fakes/deployments.ts";
import { ANY, FILES } from "./preflight-cases.ts";

describe("preflight: what the same run has changed", () => {
  const asked = async (afterMs: number) => {
    const w = scene({ maintenance: true }, ANY);
    const check = async () =>
      (await w.clock.run(deploymentHandler.check(undefined, { ...INPUTS, ...FILES }, w.services, w.call))).failures;
    expect(await check()).to.have.length(1);
    w.fake.node.maintenance = false;
    await w.clock.run(w.clock.sleep(afterMs));
    w.asked();
    return { failures: await check(), asked: w.asked() };
  };

  it("is read again before it is refused", async () =>
    expect(await asked(3_001)).to.deep.equal({
      failures: [],
      asked: ["GET /nodes", "GET /ports", "GET /drivers/redfish"],
    }));

  it("but not for each of those that are checked together", async () => {
    const { failures, asked: requests } = await asked(2_999);
    expect(failures).to.have.length(1);
    expect(requests).to.deep.equal([]);
  });

  it("nor where nothing is refused", async () => {
    const w = scene({}, ANY);
    const check = () => w.clock.run(deploymentHandler.check(undefined, { ...INPUTS, ...FILES }, w.services, w.call));
    await check();
    await w.clock.run(w.clock.sleep(60_000));
    w.asked();
    await check();
    expect(w.asked()).to.deep.equal([]);
  });
});

describe("preflight: an Ironic that does not answer", () => {
  const never = (signal?: AbortSignal) =>
    new Promise<never>((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  const silent = (client: Client): Record<string, Partial<Client>> => ({
    "at all": { minor: never },
    "when it is asked for all nodes": {
      get: (path, options) => (path === "/nodes" ? never(options.signal) : client.get(path, options)),
    },
  });

  for (const what of ["at all", "when it is asked for all nodes"])
    it(`${what} is waited for 20 s, and told once`, async () => {
      const w = scene({}, ANY);
      const services = fakeServices({ ...w.client, ...silent(w.client)[what] }, w.clock);
      for (const resourceName of ["worker", "other"]) {
        const check = deploymentHandler.check(undefined, { ...INPUTS, ...FILES, resourceName }, services, w.call);
        expect((await w.clock.run(check)).failures).to.deep.equal([]);
      }
      expect(w.clock.now()).to.equal(20_000);
      expect(w.call.warnings).to.deep.equal([
        "The program could not be checked against Ironic: http://ironic.test gave no usable answer within 20 s.",
      ]);
    });

  it("is not waited for when the run is interrupted, and then nothing is told", async () => {
    const w = scene({}, ANY);
    const services = fakeServices({ ...w.client, minor: never }, w.clock);
    const check = deploymentHandler.check(undefined, { ...INPUTS, ...FILES }, services, w.call);
    w.call.abort();
    const error = await w.clock.run(check).catch((thrown: Error) => thrown);
    expect(error).to.be.instanceOf(CancelledError);
    expect(w.clock.now()).to.equal(0);
    expect(w.call.warnings).to.deep.equal([]);
  });
});
