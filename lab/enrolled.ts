// Enrolling a hundred nodes takes half a minute. The database in which Ironic did it is kept in the cache, by Ironic's
// version, number of nodes and the very text of the enrolment; a later lab gets a copy with UUIDs and addresses of its own.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, cacheRoot } from "./cache.ts";
import type { NodeImages } from "./nodes.ts";
import { run } from "./processes.ts";
import type { LabRecord } from "./record.ts";

/** Stands for what differs between labs. */
const nowhere = "http://images.invalid";

function nameOf({ shape, programs }: LabRecord): string | undefined {
  if (Object.keys(shape.settings).length > 0) return undefined; // might change what nodes look like
  const recipe = createHash("sha256")
    .update(readFileSync(new URL("./nodes.ts", import.meta.url)))
    .digest("hex");
  return `enrolled-${shape.flavour}-${programs.version}-${shape.nodes}-${recipe.slice(0, 8)}`;
}

/** Puts the kept database, if there is one, into a lab whose Ironic does not run yet. Gives whether it did. */
export async function takeEnrolled(dir: string, record: LabRecord): Promise<boolean> {
  const name = nameOf(record);
  const kept = name === undefined ? "" : join(cacheRoot(), name, "ironic.sqlite");
  if (name === undefined || !existsSync(kept)) return false;
  const database = join(dir, "ironic.sqlite");
  copyFileSync(kept, database);
  const uuids = Object.fromEntries(record.nodes.map((node) => [node.name, node.uuid]));
  await edit(record.python, database, uuids, record.owner, nowhere, origin(record.images));
  return true;
}

/** Keeps the database of a lab that was just enrolled (`pristine.sqlite`). */
export async function keepEnrolled(dir: string, record: LabRecord): Promise<void> {
  const name = nameOf(record);
  if (name === undefined) return;
  await cached(
    name,
    async (folder) => {
      const copy = join(folder, "ironic.sqlite");
      copyFileSync(join(dir, "pristine.sqlite"), copy);
      await edit(record.python, copy, {}, undefined, origin(record.images), nowhere);
    },
    () => {},
  );
}

function origin(images: NodeImages): string {
  return new URL(images.kernel).origin;
}

const script = `
import json, sqlite3, sys
database, uuids, owner, old, new = json.loads(sys.stdin.read())
with sqlite3.connect(database) as db:
    db.execute("UPDATE nodes SET owner = ?, driver_info = replace(driver_info, ?, ?)", (owner, old, new))
    db.executemany("UPDATE nodes SET uuid = ? WHERE name = ?", [(uuid, name) for name, uuid in uuids.items()])
    db.execute("UPDATE ports SET uuid = lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)"
               " || '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))")
`;

async function edit(
  python: string,
  database: string,
  uuids: Record<string, string>,
  owner: string | undefined,
  old: string,
  replacement: string,
): Promise<void> {
  const input = JSON.stringify([database, uuids, owner ?? null, old, replacement]);
  await run(python, ["-c", script], { input, timeoutMs: 60_000 });
}
