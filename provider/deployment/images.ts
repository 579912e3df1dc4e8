/** Can what a deployment boots be had? Asked from here, once per run and address. */
import { request } from "undici";
import type { Finding } from "../preflight/index.ts";
import type { RunContext } from "../run/index.ts";
import { type Draft, isUnknown } from "../schema/index.ts";
import type { DeploymentProps } from "./args.ts";

const TIMEOUT_MS = 3_000;

/** Servers may refuse a HEAD only, be it as they don't know it or as the address is signed for a GET (S3). */
async function statusOf(url: string, method: "HEAD" | "GET", signal: AbortSignal): Promise<number> {
  const { statusCode, body } = await request(url, { method, signal });
  // Not waited for: an image has gigabytes, and the beginning of one is enough.
  body.on("error", () => undefined).destroy();
  return statusCode >= 400 && method === "HEAD" ? statusOf(url, "GET", signal) : statusCode;
}

type Troubles = RunContext["imageTroubles"];

function troubleOf(url: string, troubles: Troubles): Promise<string | undefined> {
  const known =
    troubles.get(url) ??
    statusOf(url, "HEAD", AbortSignal.timeout(TIMEOUT_MS)).then(
      // Who may not have it from here may have it from the conductor.
      (status) => (status >= 400 && status !== 401 && status !== 403 ? `answers ${status}` : undefined),
      (error: NodeJS.ErrnoException) => `does not answer (${error.code ?? error.name})`,
    );
  troubles.set(url, known);
  return known;
}

export async function imageFindings(props: Draft<DeploymentProps>, troubles: Troubles): Promise<Finding[]> {
  const keys = ["kernel", "ramdisk", "bootIso"] as const;
  const found = await Promise.all(
    keys.map(async (path) => {
      const url = props[path];
      if (url === undefined || isUnknown(url) || !/^https?:/.test(url)) return undefined;
      const trouble = await troubleOf(url, troubles);
      return trouble === undefined
        ? undefined
        : {
            path,
            reason: `${trouble} from here; the conductor may use another network`,
            code: "image-unreachable" as const,
            rejected: false,
          };
    }),
  );
  return found.filter((finding) => finding !== undefined);
}
