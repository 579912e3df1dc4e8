// Writes the tables of arguments in docs/. `npm run docs:options`
import { writeFileSync } from "node:fs";
import { DOCUMENTS, documentOf } from "./option-tables.ts";

for (const resource of Object.keys(DOCUMENTS)) {
  const { path, before, after } = documentOf(resource);
  if (after !== before) writeFileSync(path, after);
  process.stdout.write(`${resource}: ${after === before ? "as it was" : "written"}\n`);
}
