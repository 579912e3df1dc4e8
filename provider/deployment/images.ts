/** Can the images of a deployment be fetched? Tried from here, once per run and address. */
import { request } from "undici";
import type { PreflightIssue } from "../preflight/index.ts";
import type { RunContext } from "../run/index.ts";
import { type Draft, isUnknown } from "../schema/index.ts";
import { BOOT_ARGUMENTS, type DeploymentProps } from "./arguments.ts";

const TIMEOUT_MS = 3_000;

/** Servers may refuse a HEAD only, because they do not support it or because the address is signed for GET (S3). */
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
      // The conductor may have access where this machine has none.
      (status) => (status >= 400 && status !== 401 && status !== 403 ? `answers ${status}` : undefined),
      (error: NodeJS.ErrnoException) => `does not answer (${error.code ?? error.name})`,
    );
  troubles.set(url, known);
  return known;
}

export async function imageIssues(props: Draft<DeploymentProps>, troubles: Troubles): Promise<PreflightIssue[]> {
  const keys = BOOT_ARGUMENTS.filter((name) => name !== "kernelArguments");
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
