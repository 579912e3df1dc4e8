import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as z from "zod";
import { resolveConnection } from "../../provider/connection/connection.ts";
import type { Clock } from "../../provider/core/clock.ts";
import type { Client, ClientDeps } from "../../provider/http/client.ts";
import { createClient } from "../../provider/http/client.ts";
import type { Shape } from "../../provider/http/shape.ts";

/** For calls of which a test reads what was sent, or the body as it came. */
export const anything: Shape<unknown> = z.unknown();

/** A clock that never waits: sleeping only moves it. */
export interface StepClock extends Clock {
  readonly slept: number[];
}

export const stepClock = (): StepClock => {
  let nowMs = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => nowMs,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
      nowMs += ms;
    },
  };
};

export const versionHeaders = (minMinor = 1, maxMinor = 115): Record<string, string> => ({
  "x-openstack-ironic-api-minimum-version": `1.${minMinor}`,
  "x-openstack-ironic-api-maximum-version": `1.${maxMinor}`,
});

/** Ironic's own form: JSON in a string in JSON. */
export const fault = (faultstring: string): string =>
  JSON.stringify({ error_message: JSON.stringify({ faultcode: "Client", faultstring, debuginfo: null }) });

/** A client for the given `ironic:*` keys that sees neither this machine's environment nor its files. */
export const clientFor = (settings: Record<string, string>, deps: ClientDeps = {}): Client => {
  const around = { env: {}, cwd: "/", home: "/", platform: process.platform, readFile: () => undefined };
  return createClient(
    resolveConnection((key) => settings[key], {}, around),
    { clock: stepClock(), random: () => 0.5, ...deps },
  );
};

export interface Loopback {
  readonly url: string;
  readonly seen: string[];
  close(): Promise<void>;
}

export type Respond = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server on 127.0.0.1 for what an intercepted request can't show: resets, hangs, cut bodies. */
export const loopback = async (respond: Respond, range = versionHeaders()): Promise<Loopback> => {
  const seen: string[] = [];
  const server: Server = createServer((request, response) => {
    for (const [name, value] of Object.entries(range)) response.setHeader(name, value);
    request.resume();
    request.once("end", () => {
      if (request.url === "/v1") response.end("{}");
      else {
        seen.push(`${request.method} ${request.url}`);
        respond(request, response, seen.length);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** The error that a promise ends with; fails if it does not. */
export const rejection = async (promise: Promise<unknown>): Promise<Error> => {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
};
