import type { Props } from "./handler.ts";

/**
 * The wire form of a secret between provider and engine.
 * https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go
 */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Stands for a value that is not known in a preview; defined beside the signatures. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isWrapped = (value: unknown): boolean => isRecord(value) && value[signatureKey] === secretSignature;

/** Marks `value` as a secret for the engine. An unknown stays an unknown, as the SDK itself sends it. */
const wrapped = (value: unknown): unknown =>
  value === null || value === unknownValue || isWrapped(value) ? value : { [signatureKey]: secretSignature, value };

/**
 * `props` with the named keys marked secret. The engine marks results by what the inputs were, which misses every
 * key that is only an output: those would come out in plain text after an update.
 */
export const withSecrets = (props: Props, keys: readonly string[]): Props => {
  const result: Props = { ...props };
  for (const key of keys) {
    if (result[key] !== undefined) result[key] = wrapped(result[key]);
  }
  return result;
};

/**
 * `props` with the named keys marked secret as files do it that the engine reads: `pulumi import -f`, `pulumi stack import`. It
 * encrypts them in the state; in the file they are plain JSON.
 * https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/core.go, SecretV1
 */
export const withSecretsOfFiles = (props: Props, keys: readonly string[]): Props =>
  Object.fromEntries(
    Object.entries(props).map(([key, value]) => [
      key,
      keys.includes(key) ? { [signatureKey]: secretSignature, plaintext: JSON.stringify(value) } : value,
    ]),
  );

/** `value` without the engine's secret marks, at any depth. */
export const unwrapped = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (!isRecord(value)) return value;
  if (isWrapped(value)) return unwrapped(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, unwrapped(child)]));
};

export interface Sanitized {
  props: Props;
  /** Path and reason of every value that had to be left out. */
  problems: string[];
}

/** Deeper than anything we store; a cycle ends here. */
const depthMax = 64;

/** JSON values only: whatever else is in outputs makes the SDK fail after the machine was touched. */
export const sanitized = (props: Props): Sanitized => {
  const problems: string[] = [];
  const dropped = (path: string, what: string): undefined => {
    problems.push(`${path}: is ${what}`);
    return undefined;
  };
  const visitRecord = (record: object, path: string, depth: number): Props => {
    const result: Props = {};
    for (const [key, child] of Object.entries(record)) {
      const clean = visit(child, path === "" ? key : `${path}.${key}`, depth + 1);
      if (clean !== undefined) result[key] = clean;
    }
    return result;
  };
  const visitObject = (value: object, path: string, depth: number): unknown => {
    if (depth > depthMax) return dropped(path, `nested deeper than ${depthMax} levels`);
    if (value instanceof Date) {
      return Number.isNaN(value.getTime()) ? dropped(path, "an invalid date") : value.toISOString();
    }
    if (Array.isArray(value)) {
      // An array keeps its length, as positions carry meaning.
      return value.map((child, index) => visit(child, `${path}[${index}]`, depth + 1) ?? null);
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      return dropped(path, `an object of class ${prototype.constructor?.name ?? "unknown"}`);
    }
    return visitRecord(value, path, depth);
  };
  const visit = (value: unknown, path: string, depth: number): unknown => {
    switch (typeof value) {
      case "string":
      case "boolean":
      case "undefined":
        return value;
      case "bigint":
        return value.toString();
      case "number":
        return Number.isFinite(value) ? value : dropped(path, `not a finite number (${value})`);
      case "object":
        return value === null ? null : visitObject(value, path, depth);
      default:
        return dropped(path, `a ${typeof value}`);
    }
  };
  return { props: visitRecord(props, "", 0), problems };
};

/** Shorter lines of a secret text are not secret by themselves. */
const lineLengthMin = 8;

const leaves = (value: unknown, into: Set<string>): void => {
  if (typeof value === "string") into.add(value);
  else if (typeof value === "object" && value !== null) for (const child of Object.values(value)) leaves(child, into);
};

/**
 * Texts below the secret `keys` of `bags` that must not appear in a message: whole values and their lines. What also
 * stands in a key that is not secret stays readable: otherwise every message would lose the node's name where a
 * config drive contains it as host name.
 */
export const secretTexts = (bags: readonly (Props | undefined)[], keys: readonly string[]): string[] => {
  const secrets = new Set<string>();
  const open = new Set<string>();
  for (const bag of bags) {
    for (const [key, value] of Object.entries(bag ?? {})) {
      leaves(unwrapped(value), keys.includes(key) ? secrets : open);
    }
  }
  for (const text of [...secrets]) {
    for (const line of text.split("\n")) if (line.trim().length >= lineLengthMin) secrets.add(line.trim());
  }
  secrets.delete(unknownValue);
  return [...secrets].filter((text) => text !== "" && !open.has(text));
};
