import { expect } from "chai";
import type { Connection } from "../../provider/connection/connection.ts";
import { type IronicError, printed } from "../../provider/core/errors.ts";
import { STALE_TOKEN_ADVICE } from "../../provider/core/recognitions.ts";
import {
  createFailer,
  errorOfRefusal,
  errorOfTransport,
  parseReply,
  refuseForeign,
} from "../../provider/http/call-errors.ts";
import { field, ignored } from "../../provider/http/shape.ts";
import { type Reply, TransportError } from "../../provider/http/transport.ts";
import { resolve } from "../connection/resolved.ts";
import { answerOf } from "./answers.ts";

const url = new URL("http://ironic.example.org:6385/v1/nodes/worker-1");
const basic = resolve({ endpoint: url.origin, authType: "http_basic", username: "u", password: "hunter22" });
const fixedToken = resolve({ endpoint: url.origin, authType: "admin_token", token: "t0ken" });

const failer = (connection: Connection, secrets: string[] = []) =>
  createFailer(connection, {
    headers: async () => ({}),
    renew: () => false,
    endpoint: async () => url.origin,
    account: () => undefined,
    secrets: () => secrets,
  });
const fail = failer(basic)("read the node", "GET /v1/nodes/worker-1", { node: "worker-1" });
const reply = (status: number, headers: Reply["headers"] = {}, text = ""): Reply => ({ status, headers, text });
const refused = (answer: Reply, detail = "why"): IronicError =>
  errorOfRefusal(answer, { recognition: { fault: "invalid" }, detail }, url, fail);
const thrown = (work: () => unknown): Promise<IronicError> => answerOf(Promise.resolve().then(work));

describe("the error of a refusal", () => {
  it("says what was tried, on which node, what was answered and what to do, with a code", () => {
    const error = refused(reply(400), "bad value");
    expect(printed(error)).to.equal(
      "Could not read the node (node worker-1): Ironic answered 400: bad value. Correct the value that Ironic names. [ironic-invalid-request]",
    );
    const recognition = { fault: "notFound", code: "keystone-failed", advice: "Do this." } as const;
    expect(errorOfRefusal(reply(404), { recognition, detail: "" }, url, fail)).to.include({
      fault: "notFound",
      code: "keystone-failed",
      advice: "Do this.",
    });
  });

  it("has the id of the request by either name, the newer one first", () => {
    expect(refused(reply(400)).requestId).to.equal(undefined);
    expect(refused(reply(400, { "x-openstack-request-id": "old" })).requestId).to.equal("old");
    expect(refused(reply(400, { "x-openstack-request-id": "old", "openstack-request-id": ["a", "b"] }))).to.include({
      requestId: "a",
    });
  });

  const PAUSES = {
    "7": 7000,
    "0.5": 500,
    "0": undefined,
    "-1": undefined,
    "Wed, 21 Oct 2026": undefined,
    "": undefined,
  };
  for (const [header, pauseMs] of Object.entries(PAUSES))
    it(`has a pause of ${pauseMs} ms where Retry-After is "${header}"`, () =>
      expect(refused(reply(429, { "retry-after": header })).retryAfterMs).to.equal(pauseMs));

  for (const [location, where] of [
    ["https://other.example.org/v1/x?token=t", "https://other.example.org/v1/x"],
    ["/elsewhere", "http://ironic.example.org:6385/elsewhere"],
    ["http://", "nowhere"],
    [undefined, "nowhere"],
  ] as const)
    it(`says that the redirect to ${location} was not followed, without its query`, () =>
      expect(refused(reply(302, { location })).detail).to.equal(
        `http://ironic.example.org:6385 redirects to ${where}; the redirect was not followed`,
      ));
});

describe("the error of a success", () => {
  const shape = field.object({ uuid: field.text });
  const read = (text: string) =>
    parseReply(reply(200, { "openstack-request-id": "req-1" }, text), shape, "GET /x", fail);

  it("is none where the body is what was asked for, or where nobody reads it", () => {
    expect(read('{"uuid": "u", "more": 1}')).to.deep.equal({ uuid: "u" });
    expect(parseReply(reply(202, {}, " \n"), ignored, "PUT /x", fail)).to.equal(undefined);
  });

  for (const [text, wanted] of [
    ['{"uuid": ', { fault: "ambiguous", detail: "the answer is cut off or not JSON" }],
    ['{"uuid": 5}', { fault: "malformed", detail: "GET /x: uuid must be a string, got a number" }],
    ["  ", { fault: "malformed", detail: "GET /x: the body must be an object, but is missing" }],
  ] as const)
    it(`says what is wrong with the body ${JSON.stringify(text)}`, async () =>
      expect(await thrown(() => read(text))).to.include({ ...wanted, status: 200, requestId: "req-1" }));

  it("is that of a stranger where Ironic's headers are missing", async () => {
    const error = await thrown(() => refuseForeign(reply(200), fail));
    expect(error).to.include({ fault: "ambiguous", code: "endpoint-not-ironic", status: 200 });
    expect(error.message).to.contain("Something else than Ironic answered 200: Ironic's version headers are missing.");
  });
});

describe("the error of no answer", () => {
  for (const [sent, code, wanted] of [
    [true, "ECONNRESET", { fault: "ambiguous", code: "ironic-outcome-unknown" }],
    [false, "ECONNREFUSED", { fault: "unreachable", code: "connection-failed" }],
    [false, "CERT_HAS_EXPIRED", { fault: "untrusted", code: "certificate-invalid" }],
  ] as const)
    it(`is ${wanted.code} after ${code}, and names the address`, () => {
      const cause = Object.assign(new Error("no"), { code });
      const lost = new TransportError({ text: "it broke", sent, timedOut: false, cause });
      const error = errorOfTransport(lost, url, fail);
      expect(error).to.include({ ...wanted, detail: "http://ironic.example.org:6385: it broke", cause: lost });
      expect(error.message).to.contain("Could not read the node (node worker-1): GET /v1/nodes/worker-1: ");
    });
});

describe("the errors of a call", () => {
  it("hold no secret of the connection, of the login or of what was sent, also where a long text is cut", () => {
    const secrets = ["hunter22", "a-new-token", "the drive's content"];
    const make = failer(basic, ["a-new-token"])("deploy", "PUT /x", { body: { configdrive: "the drive's content" } });
    const { detail } = make({ fault: "invalid", detail: `${secrets.join()} ${"x".repeat(900)}` });
    for (const secret of secrets) expect(detail).not.to.contain(secret);
    expect(detail).to.match(/^(\[secret\],?){3} x+ … \(\d+ characters\)$/);
    const cut = make({ fault: "invalid", detail: `${"x".repeat(795)}hunter22` });
    expect(cut.detail).not.to.contain("hunt");
  });

  it("say that a fixed token has ended, unless more is known; a login has advice of its own", () => {
    const make = failer(fixedToken)("read", "GET /x");
    expect(make({ fault: "unauthorized", detail: "" })).to.include({
      code: "token-expired",
      advice: STALE_TOKEN_ADVICE,
    });
    expect(make({ fault: "unauthorized", detail: "", code: "keystone-failed" }).code).to.equal("keystone-failed");
    expect(make({ fault: "forbidden", detail: "" }).code).to.equal("ironic-forbidden");
    expect(fail({ fault: "unauthorized", detail: "" }).code).to.equal("ironic-unauthorized");
  });
});
