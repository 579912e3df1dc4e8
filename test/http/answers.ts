/** What the tests of the client begin with. */
import { expect } from "chai";
import nock from "nock";
import { IronicError } from "../../provider/core/errors.ts";
import type { Client } from "../../provider/http/client.ts";
import { clientFor, rejection, type StepClock, stepClock, versionHeaders } from "../fakes/http-server.ts";

export const answerOf = async (promise: Promise<unknown>): Promise<IronicError> => {
  const error = await rejection(promise);
  expect(error).to.be.instanceOf(IronicError);
  return error as IronicError;
};

export const origin = "http://ironic.example.org:6385";

export const greet = (path = "/v1", at = origin) => nock(at).get(path).reply(200, {}, versionHeaders());

/** For the `describe` that calls it: no request leaves, and `use` gets a client of its own for each test. */
export function withMockedClient(use: (client: Client, clock: StepClock) => void): void {
  let made: Client;
  before(() => nock.disableNetConnect());
  after(() => nock.enableNetConnect());
  beforeEach(() => {
    const clock = stepClock();
    made = clientFor({ endpoint: origin, authType: "none" }, { clock });
    use(made, clock);
  });
  afterEach(async () => {
    nock.cleanAll();
    await made.close();
  });
}
