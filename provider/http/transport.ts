import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import { isInNoProxyNetwork, type Proxies } from "../connection/index.ts";
import { CancelledError, type Code, type Sign } from "../core/index.ts";

/** TLS and proxy settings of a connection; texts are PEM. */
export interface TransportOptions {
  caCertificate?: string | undefined;
  clientCertificate?: string | undefined;
  clientKey?: string | undefined;
  insecure?: boolean | undefined;
  proxy?: Proxies | undefined;
  /** Sockets per server. */
  connections?: number | undefined;
}

export interface Exchange {
  method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE";
  url: URL;
  headers: Record<string, string>;
  body?: string | undefined;
  /** From the call to the last byte of the answer. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** No complete answer was received. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  /** False only if not one byte of the request left: the server can't have acted on it. */
  readonly sent: boolean;
  readonly timedOut: boolean;
  /** The two sides do not accept each other's certificates, or one of them does not use TLS: repeating does not help. */
  readonly untrusted: boolean;
  /** What is wrong with certificates, where that is known. */
  readonly tlsCode: Code | undefined;

  constructor(fields: { text: string; sent: boolean; timedOut: boolean; cause: unknown }) {
    super(fields.text, { cause: fields.cause });
    this.sent = fields.sent;
    this.timedOut = fields.timedOut;
    const code = codeOf(fields.cause) ?? "";
    this.untrusted = /CERT|SIGNED|UNABLE_TO_|^ERR_(TLS|SSL)/.test(code);
    this.tlsCode = this.untrusted ? tlsHints[code]?.code : undefined;
  }
}

/** The error as the table of recognitions knows it. */
export const signOf = ({ untrusted, sent }: TransportError): Sign =>
  untrusted ? "untrusted" : sent ? "unanswered" : "unsent";

export interface Transport {
  /** Rejects with a TransportError, or with a CancelledError when the signal aborts. */
  exchange(request: Exchange): Promise<Reply>;
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;
/** Idle sockets are closed before the 5 s after which common servers close theirs. */
const keepAliveTimeoutMs = 2_000;
const replyBytesMax = 128 * 1024 * 1024;
/** Of an answer that is no success: its sentence is at the beginning, and a version document is shorter. */
const errorBytesMax = 64 * 1024;

/** Hints for codes of OpenSSL and the system that users meet; the code itself is always shown. */
const hints: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "the host name does not resolve",
  EAI_AGAIN: "the host name does not resolve at present",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  UND_ERR_CONNECT_TIMEOUT: "no connection within 10 seconds",
  UND_ERR_SOCKET: "the connection was closed",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
};

const unknownAuthority = {
  text: "the server's certificate is signed by an authority that is not trusted; set it as `ironic:caCertificate`",
  code: "certificate-not-trusted",
} as const;

/** Those of TLS, with the codes of their messages. */
const tlsHints: Readonly<Record<string, { text: string; code: Code }>> = {
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    text: "the server's certificate is self-signed; set it as `ironic:caCertificate`",
    code: "certificate-not-trusted",
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  CERT_HAS_EXPIRED: { text: "the server's certificate has expired", code: "certificate-invalid" },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    text: "the server's certificate is for another host name",
    code: "certificate-invalid",
  },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    text: "the server does not use TLS on this port; use http:// instead of https://",
    code: "tls-failed",
  },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: {
    text: "the server requires a client certificate (`ironic:clientCertificate`, `ironic:clientKey`)",
    code: "tls-failed",
  },
};

const codeOf = (error: unknown): string | undefined => {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === "string") return code;
    if (at instanceof AggregateError && at.errors.length > 0) return codeOf(at.errors[0]);
  }
  return undefined;
};

const textOf = (error: unknown): string => {
  const code = codeOf(error);
  const own = error instanceof Error ? error.message : String(error);
  if (code === undefined) return own;
  const hint = hints[code] ?? tlsHints[code]?.text;
  return hint === undefined ? `${own} (${code})` : `${hint} (${code})`;
};

const createDispatcher = (options: TransportOptions): ((url: URL) => Dispatcher) => {
  const tls = {
    ...(options.caCertificate ? { ca: options.caCertificate } : {}),
    ...(options.clientCertificate ? { cert: options.clientCertificate } : {}),
    ...(options.clientKey ? { key: options.clientKey } : {}),
    ...(options.insecure ? { rejectUnauthorized: false } : {}),
  };
  const agentOptions = {
    connections: options.connections ?? 32,
    // HTTP/2 would put every request of a run on one connection, and one reset would make all of them ambiguous.
    allowH2: false,
    keepAliveTimeout: keepAliveTimeoutMs,
    keepAliveMaxTimeout: keepAliveTimeoutMs,
    maxResponseSize: replyBytesMax,
    connect: { timeout: connectTimeoutMs, ...tls },
  };
  const agents = new Map<string, Dispatcher>();
  return (url) => {
    const forScheme = url.protocol === "https:" ? options.proxy?.https : options.proxy?.http;
    const proxy = isInNoProxyNetwork(url.hostname, options.proxy?.none) ? undefined : forScheme;
    const key = proxy ?? "";
    const known = agents.get(key);
    if (known) return known;
    const agent = proxy
      ? new EnvHttpProxyAgent({
          ...agentOptions,
          httpProxy: proxy,
          httpsProxy: proxy,
          noProxy: options.proxy?.none ?? "",
          requestTls: tls,
          proxyTls: options.caCertificate ? { ca: options.caCertificate } : {},
        })
      : new Agent(agentOptions);
    agents.set(key, agent);
    return agent;
  };
};

/** Tells whether a request was begun on a socket: undici announces it just before it writes the first byte. */
const watched = (dispatcher: Dispatcher, onSent: () => void): Dispatcher =>
  dispatcher.compose((dispatch) => (options, handler) => {
    const start = handler.onRequestStart?.bind(handler);
    return dispatch(
      options,
      new Proxy(handler, {
        get: (target, key) => {
          if (key === "onRequestStart") {
            return (...args: Parameters<NonNullable<Dispatcher.DispatchHandler["onRequestStart"]>>) => {
              onSent();
              start?.(...args);
            };
          }
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      }),
    );
  });

type Body = Dispatcher.ResponseData["body"];

/** The whole body of a success; otherwise its beginning, and the connection is then closed. */
const textOfBody = async (status: number, body: Body): Promise<string> => {
  if (status >= 200 && status < 300) return body.text();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= errorBytesMax) break;
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, errorBytesMax));
};

/** One set of sockets for Ironic and Keystone, with the connection's certificates and proxies. */
export const createTransport = (options: TransportOptions): Transport => {
  const used = new Set<Dispatcher>();
  const dispatcherFor = createDispatcher(options);
  return {
    exchange: async (request) => {
      request.signal?.throwIfAborted();
      const dispatcher = dispatcherFor(request.url);
      used.add(dispatcher);
      let sent = false;
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), request.timeoutMs);
      const signals = request.signal ? [deadline.signal, request.signal] : [deadline.signal];
      try {
        const reply = await watched(dispatcher, () => {
          sent = true;
        }).request({
          origin: request.url.origin,
          path: `${request.url.pathname}${request.url.search}`,
          method: request.method,
          headers: request.headers,
          body: request.body ?? null,
          // A write on a socket that the server is just closing would be ambiguous for no reason.
          reset: request.method !== "GET",
          headersTimeout: request.timeoutMs + 1000,
          bodyTimeout: request.timeoutMs + 1000,
          signal: AbortSignal.any(signals),
        });
        return {
          status: reply.statusCode,
          headers: reply.headers,
          text: await textOfBody(reply.statusCode, reply.body),
        };
      } catch (cause) {
        if (request.signal?.aborted)
          throw new CancelledError("The run was interrupted while it waited for an answer", cause);
        const timedOut = deadline.signal.aborted;
        const text = timedOut ? `no answer within ${request.timeoutMs / 1000} seconds` : textOf(cause);
        throw new TransportError({ text, sent, timedOut, cause });
      } finally {
        clearTimeout(timer);
      }
    },
    close: async () => {
      await Promise.allSettled([...used].map((dispatcher) => dispatcher.destroy()));
    },
  };
};
