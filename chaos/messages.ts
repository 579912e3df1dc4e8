// What the engine printed, read for errors and warnings.

/** Errors that only say that there is another one. */
export const FOLLOWS = /^update failed|^\d+ errors? occurred|resource .* failed to register/;

/** Error lines of a command, each with the resource at which it stands. */
export function errorsIn(output: string): { resource: string; text: string }[] {
  const found: { resource: string; text: string }[] = [];
  let resource = "";
  for (const line of output.split("\n")) {
    const heading = /^ {2}\S+ \((.+)\):\s*$/.exec(line)?.[1];
    if (heading !== undefined) resource = heading;
    // Of a resource that is kept as failed, the errors are a list below a heading.
    const text = /^\s*error: (.+)$/.exec(line)?.[1] ?? /^\s+\* (.+)$/.exec(line)?.[1];
    if (text !== undefined) found.push({ resource, text });
  }
  return found;
}

/** Errors and warnings at resources of ours whose last line does not end with a code: each of them has to. */
export function uncodedIn(output: string): string[] {
  const messages: string[] = [];
  let ours = false;
  for (const line of output.split("\n")) {
    const type = /^ {2}(\S+) \(.+\):\s*$/.exec(line)?.[1];
    if (type !== undefined) ours = type.includes("ironic:");
    const begun = /^\s*(?:error|warning): (.+)$/.exec(line)?.[1] ?? /^\s+\* (.+)$/.exec(line)?.[1];
    if (type !== undefined || line.trim() === "") continue;
    if (!ours) continue;
    if (begun !== undefined) messages.push(begun);
    // Of several failures each is a line of its own.
    else if (messages.at(-1)?.endsWith(":") || /\]$/.test(line))
      messages.push(`${messages.pop() ?? ""} ${line.trim()}`);
  }
  return messages.filter((text) => !FOLLOWS.test(text) && !/ \[[a-z0-9-]+\]$/.test(text));
}
