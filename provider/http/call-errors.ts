/** From what came back of a request to the error that the caller gets. */
import { type Connection, secretsOf } from "../connection/index.ts";
import {
  IronicError,
  type IronicErrorFields,
  recognise,
  redact,
  STALE_TOKEN_ADVICE,
  secretsOfBody,
} from "../core/index.ts";
import type { Authenticator } from "./auth.ts";
import { rangeOf } from "./discovery.ts";
import { shorten } from "./error-body.ts";
import type { Refusal } from "./session.ts";
import { parseBody, type Shape } from "./shape.ts";
import { type Reply, signOf, type TransportError } from "./transport.ts";

type FailFields = Pick<
  IronicErrorFields,
  "fault" | "detail" | "status" | "server" | "requestId" | "advice" | "code" | "retryAfterMs" | "cause"
>;

export type Fail = (fields: FailFields) => IronicError;

const headerOf = (reply: Reply, name: string): string | undefined => {
  const value = reply.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** Since API 1.107 under the first name, through oslo.middleware under the second. */
const requestIdOf = (reply: Reply): string | undefined =>
  headerOf(reply, "openstack-request-id") ?? headerOf(reply, "x-openstack-request-id");

const retryAfterOf = (reply: Reply): number | undefined => {
  const seconds = Number(headerOf(reply, "retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
};

export const errorOfRefusal = (reply: Reply, { recognition, detail }: Refusal, url: URL, fail: Fail): IronicError => {
  const location = headerOf(reply, "location");
  const target = location && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  const isRedirect = reply.status >= 300 && reply.status < 400;
  return fail({
    fault: recognition.fault,
    ...(recognition.advice !== undefined && { advice: recognition.advice }),
    ...(recognition.code !== undefined && { code: recognition.code }),
    status: reply.status,
    requestId: requestIdOf(reply),
    retryAfterMs: retryAfterOf(reply),
    detail: isRedirect
      ? `${url.origin} redirects to ${target ? target.origin + target.pathname : "nowhere"}; the redirect was not followed`
      : detail,
  });
};

const bodyOf = (reply: Reply, fail: Fail): unknown => {
  if (reply.text.trim() === "") return undefined;
  try {
    return JSON.parse(reply.text);
  } catch (cause) {
    throw fail({
      fault: recognise({ server: "ironic", sign: "unreadable" }).fault,
      status: reply.status,
      requestId: requestIdOf(reply),
      detail: "the answer is cut off or not JSON",
      cause,
    });
  }
};

/**
 * Throws where a write was not answered by Ironic, which puts its version headers on every answer below `/v1`: a success of
 * something else says nothing. A read needs no such proof: its body has to be what was asked for.
 */
export const refuseForeign = (reply: Reply, fail: Fail): void => {
  if (rangeOf(reply) !== undefined) return;
  const { fault, code, advice } = recognise({ server: "ironic", sign: "foreign" });
  throw fail({
    fault,
    code,
    advice,
    server: "Something else than Ironic",
    status: reply.status,
    requestId: requestIdOf(reply),
    detail: "Ironic's version headers are missing",
  });
};

/** The body as `shape` describes it; `request` names the call in the error that says what is wrong. */
export const parseReply = <T>(reply: Reply, shape: Shape<T>, request: string, fail: Fail): T => {
  const parsed = parseBody(shape, bodyOf(reply, fail));
  if (parsed.ok) return parsed.value;
  throw fail({
    fault: recognise({ server: "ironic", sign: "misshapen" }).fault,
    status: reply.status,
    requestId: requestIdOf(reply),
    detail: `${request}: ${parsed.fault}`,
  });
};

export const errorOfTransport = (error: TransportError, url: URL, fail: Fail): IronicError =>
  fail({
    fault: recognise({ server: "ironic", sign: signOf(error) }).fault,
    ...(error.tlsCode !== undefined && { code: error.tlsCode }),
    detail: `${url.origin}: ${error.message}`,
    cause: error,
  });

/** Makes the errors of one call, with nothing secret in them. */
export type Failer = (
  operation: string,
  request: string,
  options?: { node?: string | undefined; body?: unknown },
) => Fail;

export const createFailer =
  (connection: Connection, auth: Authenticator): Failer =>
  (tried, request, options) =>
  (fields) => {
    const secrets = [...secretsOf(connection), ...auth.secrets(), ...secretsOfBody(options?.body)];
    const isStaleToken = fields.fault === "unauthorized" && connection.auth.kind === "fixed_token";
    return new IronicError({
      operation: tried,
      request,
      node: options?.node,
      ...(isStaleToken && { advice: STALE_TOKEN_ADVICE, code: "token-expired" }),
      ...fields,
      detail: shorten(redact(fields.detail, secrets)),
    });
  };
