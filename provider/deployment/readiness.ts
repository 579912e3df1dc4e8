/** Is the workload there? Ironic's `active` only means that the machine was powered on. */
import { connect } from "node:net";
import { request } from "undici";
import { CancelledError, type Clock, deadlineFrom, inTime, ProblemError } from "../core/index.ts";
import { DEFAULT_READINESS_TIMEOUT_SECONDS, type ReadinessProps } from "./arguments.ts";

const INTERVAL_MS = 2_000;
const ATTEMPT_MS = 5_000;
/** What the pause before the deadline leaves for a last look. */
const LAST_ATTEMPT_MS = 500;

/** Resolves with what is wrong, or with nothing when the probe is answered. */
async function probe(
  { tcp, http = "", status }: ReadinessProps,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  const late = () => new Error(`no answer within ${Math.round(timeoutMs / 100) / 10} s`);
  try {
    return await inTime(timeoutMs, late, clock, signal, (attempt) =>
      tcp !== undefined ? probeTcp(tcp, attempt) : probeHttp(http, status, attempt),
    );
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code ?? message;
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
  /** What `customTimeouts` leave. */
  callLeftMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  const ownMs = (readiness.timeoutSeconds ?? DEFAULT_READINESS_TIMEOUT_SECONDS) * 1000;
  const timeoutMs = Math.min(ownMs, callLeftMs);
  const { startedAt, leftMs } = deadlineFrom(clock.now(), timeoutMs, clock);
  const target = readiness.tcp ?? addressOf(readiness.http ?? "");
  for (;;) {
    const wrong = await probe(readiness, Math.min(ATTEMPT_MS, Math.max(LAST_ATTEMPT_MS, leftMs())), clock, signal);
    if (signal.aborted)
      throw new CancelledError(`The run was interrupted while it waited for ${target}. The next run resumes.`);
    if (wrong === undefined) return;
    const pauseMs = Math.min(INTERVAL_MS, leftMs() - LAST_ATTEMPT_MS);
    if (pauseMs <= 0)
      throw new ProblemError({
        code: "readiness-timeout",
        problem: `Node ${nodeLabel} is active, but ${target} did not become ready within ${Math.round(timeoutMs / 100) / 10} s${timeoutMs < ownMs ? ", which is all that customTimeouts left" : ""}: ${wrong}`,
        advice:
          "See the machine's console. The deployment is kept as failed: `pulumi up` probes again, `pulumi destroy` gives the node back.",
      });
    onProgress(`waiting until ${target} is ready (${wrong}), ${Math.round((clock.now() - startedAt) / 1000)} s`);
    // An interruption is seen by the next probe, which then does not begin.
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}
