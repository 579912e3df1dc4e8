import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import { discover, joinUrl, rangeOf } from "../../provider/http/discovery.ts";
import type { Outcome } from "../../provider/http/session.ts";
import { rejection, versionHeaders } from "../fakes/http-server.ts";

const reply = (status: number, headers: Record<string, string> = {}) => ({ status, headers, text: "" });
const refusal = { recognition: { fault: "serverError" as const }, detail: "" };
const IRONIC: Outcome = { reply: reply(200, versionHeaders(1, 90)) };
const missing = (status: number, headers = {}): Outcome => ({
  reply: reply(status, headers),
  ...(status >= 300 && { refusal }),
});

const scene = (answers: Record<string, Outcome>, endpoint = "http://host", pinned?: number) => {
  const asked: string[] = [];
  const REFUSED = new Error("refused");
  const found = discover({
    endpoint,
    pinned,
    get: async ({ href }) => {
      asked.push(href);
      return answers[href] ?? missing(404);
    },
    refuse: () => REFUSED,
  });
  return { found, asked, REFUSED };
};

describe("discovery", () => {
  it("finds Ironic at the address itself, and asks no further", async () => {
    const { found, asked } = scene({ "http://host/v1": IRONIC });
    expect(await found).to.deep.equal({ base: "http://host", minor: 90, range: { minMinor: 1, maxMinor: 90 } });
    expect(asked).to.deep.equal(["http://host/v1"]);
  });

  for (const status of [200, 301, 404, 405, 410])
    it(`looks below /baremetal after ${status} of something else`, async () => {
      const { found } = scene({ "http://host/v1": missing(status), "http://host/baremetal/v1": IRONIC });
      expect((await found).base).to.equal("http://host/baremetal");
    });

  for (const status of [401, 403, 500, 503])
    it(`does not look further after ${status}: it may be Ironic's`, async () => {
      const { found, asked, REFUSED } = scene({ "http://host/v1": missing(status) });
      expect(await rejection(found)).to.equal(REFUSED);
      expect(asked).to.have.length(1);
    });

  it("keeps to a prefix that the endpoint has, and says where it looked", async () => {
    const { found, asked } = scene(
      { "http://host/x/v1": missing(302, { location: "https://other/v1" }) },
      "http://host/x/v1/",
    );
    const error = await rejection(found);
    expect(error).to.be.instanceOf(ProblemError);
    for (const part of ["http://host/x/v1", "302", "https://other"]) expect(error.message).to.contain(part);
    expect(asked).to.deep.equal(["http://host/x/v1"]);
  });

  for (const location of ["http://", "https://[::1", "//"])
    it(`says what answered where it redirects to ${location}, which is no address`, async () => {
      const { found } = scene({ "http://host/x/v1": missing(302, { location }) }, "http://host/x");
      const error = await rejection(found);
      expect(error).to.be.instanceOf(ProblemError);
      expect(error.message).to.contain("http://host/x/v1 (302, redirected to no valid address)");
    });

  it("agrees on the version that is pinned", async () => {
    expect((await scene({ "http://host/v1": IRONIC }, "http://host", 80).found).minor).to.equal(80);
  });

  it("knows Ironic by both of its headers", () => {
    expect(rangeOf(reply(200, versionHeaders(1, 90)))).to.deep.equal({ minMinor: 1, maxMinor: 90 });
    const { "x-openstack-ironic-api-minimum-version": _minimum, ...half } = versionHeaders();
    expect(rangeOf(reply(200, half))).to.equal(undefined);
    expect(rangeOf(reply(200))).to.equal(undefined);
  });

  for (const path of ["/nodes/..", "/nodes/.", "/nodes/../x", "/nodes/%2e%2e/y", "/nodes/a?b", "/nodes/", "/nodes//z"])
    it(`asks for nothing at ${path}, which would be the address of something else`, () =>
      expect(() => joinUrl("http://host/b", path)).to.throw(ProblemError, JSON.stringify(path)));

  it("leaves out of a query what is not set, and escapes the rest", () => {
    const url = joinUrl("http://host/b", "/nodes", { fields: "a,b", limit: 0, marker: undefined, name: "a&b" });
    expect(url.pathname).to.equal("/b/v1/nodes");
    expect([...url.searchParams]).to.deep.equal([
      ["fields", "a,b"],
      ["limit", "0"],
      ["name", "a&b"],
    ]);
  });
});
