/** Is the workload there? Ironic's `active` only means that the machine was powered on. */
import { connect } from "node:net";
import { request } from "undici";
import type { Clock } from "./clock.ts";
import { DEFAULT_READINESS_TIMEOUT_SECONDS, type ReadinessProps } from "./deployment-args.ts";
import { CancelledError, ProblemError } from "./errors.ts";

const INTERVAL_MS = 2_000;
const ATTEMPT_MS = 5_000;

/** Resolves with what is wrong, or with nothing when the probe is answered. */
async function probe(readiness: ReadinessProps, signal: AbortSignal): Promise<string | undefined> {
  const attempt = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]);
  try {
    return readiness.tcp !== undefined
      ? await probeTcp(readiness.tcp, attempt)
      : await probeHttp(readiness.http ?? "", readiness.status, attempt);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return attempt.aborted && !signal.aborted ? `no answer within ${ATTEMPT_MS / 1000} s` : (code ?? message);
  }
}

function probeTcp(address: string, signal: AbortSignal): Promise<undefined> {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(address.slice(colon + 1)), signal });
    socket.once("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("error", reject);
  });
}

async function probeHttp(url: string, status: number | undefined, signal: AbortSignal): Promise<string | undefined> {
  const { statusCode, body } = await request(url, { signal });
  await body.dump();
  const good = status === undefined ? statusCode >= 200 && statusCode < 400 : statusCode === status;
  return good ? undefined : `HTTP ${statusCode}`;
}

/** As messages show it: a query, or a user and password, may be secret. */
const addressOf = (url: string): string => url.replace(/[?#].*/s, "").replace(/\/\/[^/@]*@/, "//");

/** Waits until the probe is answered; a machine that does not come up in time is a failed deployment. */
export async function awaitReadiness(
  readiness: ReadinessProps,
  nodeLabel: string,
  clock: Clock,
  signal: AbortSignal,
  onProgress: (text: string) => void,
): Promise<void> {
  const timeoutMs = (readiness.timeoutSeconds ?? DEFAULT_READINESS_TIMEOUT_SECONDS) * 1000;
  const startedAt = clock.now();
  const target = readiness.tcp ?? addressOf(readiness.http ?? "");
  for (;;) {
    const wrong = await probe(readiness, signal);
    if (signal.aborted) throw new CancelledError(`Interrupted while waiting for ${target}; the next run goes on`);
    if (wrong === undefined) return;
    const elapsedMs = clock.now() - startedAt;
    if (elapsedMs + INTERVAL_MS > timeoutMs)
      throw new ProblemError({
        problem: `Node ${nodeLabel} is active, but ${target} did not become ready within ${timeoutMs / 1000} s: ${wrong}`,
        advice:
          "See the machine's console. The deployment is kept as failed: `pulumi up` probes again, `pulumi destroy` gives the node back.",
      });
    onProgress(`waiting for ${target} (${wrong}), ${Math.round(elapsedMs / 1000)} s`);
    await clock.sleep(INTERVAL_MS, signal).catch((error: unknown) => {
      throw signal.aborted
        ? new CancelledError(`Interrupted while waiting for ${target}; the next run goes on`)
        : error;
    });
  }
}
