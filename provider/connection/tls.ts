/** Certificates: which authority is trusted, and how the client shows who it is. */
import { ProblemError } from "../core/index.ts";
import { expandHome, type Raw, type Surroundings } from "./cloud-files.ts";
import { isTrue } from "./cloud-fixes.ts";
import type { Settings } from "./keys.ts";
import { isPem, isShownPath } from "./pem.ts";

/** PEM as it is, or the content of the file that is named. */
const readPem = (what: string, value: unknown, around: Surroundings): string | undefined => {
  if (typeof value !== "string" || value === "") return undefined;
  if (isPem(value)) return value;
  const path = expandHome(value, around.home);
  const text = around.readFile(path);
  if (text !== undefined && isPem(text)) return text;
  throw new ProblemError({
    code: "setting-invalid",
    problem: `${what}: ${isShownPath(path) ? path : "the file that is named"} ${text === undefined ? "cannot be read" : "is not in PEM form"}`,
    advice: "Set the path of a PEM file, or the PEM text itself.",
  });
};

/** Those of `texts` that hold a private key, as one file may hold it beside the certificate. */
export const privateKeysIn = (...texts: (string | undefined)[]): string[] =>
  texts.flatMap((text) => (text?.includes("PRIVATE KEY-----") ? [text] : []));

export const tlsOf = (settings: Settings, config: Raw, around: Surroundings) => {
  const verify = config.verify;
  const insecure =
    settings.insecure === undefined
      ? config.insecure === true || verify === false || (typeof verify === "string" && /^(false|no|0)$/i.test(verify))
      : isTrue(settings.insecure);
  // The variables are those of Python's requests, which openstacksdk uses.
  const authority =
    settings.caCertificate ??
    config.cacert ??
    (typeof verify === "string" && verify.includes("/") ? verify : undefined) ??
    (around.env.REQUESTS_CA_BUNDLE || around.env.CURL_CA_BUNDLE);
  const clientCertificate = readPem("Client certificate", settings.clientCertificate ?? config.cert, around);
  const ownKey = readPem("Client key", settings.clientKey ?? config.key, around);
  return {
    insecure,
    caCertificate: insecure ? undefined : readPem("CA certificate", authority, around),
    clientCertificate,
    // One file may hold both.
    clientKey: clientCertificate === undefined ? undefined : (ownKey ?? clientCertificate),
  };
};
