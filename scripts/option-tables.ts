/** The tables of arguments in the documents, made from the tables of arguments in provider/. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { ALLOCATION_ARGUMENTS } from "../provider/allocation/arguments.ts";
import { CONFIG_DRIVE_ARGUMENTS } from "../provider/config-drive/arguments.ts";
import { formatMinor } from "../provider/connection/index.ts";
import { DEPLOYMENT_ARGUMENTS } from "../provider/deployment/arguments.ts";
import { featureMinors } from "../provider/http/versions.ts";
import { NODE_CONFIG_ARGUMENTS } from "../provider/node-config/arguments.ts";
import { type ArgumentRow, CHANGES } from "../provider/plugin/index.ts";
import { root } from "./parts.ts";

/** By resource: the document and the arguments. */
export const DOCUMENTS: Readonly<Record<string, { file: string; table: Readonly<Record<string, ArgumentRow>> }>> = {
  RamdiskDeployment: { file: "docs/ramdisk-deployment.md", table: DEPLOYMENT_ARGUMENTS },
  BaremetalNodeConfig: { file: "docs/baremetal-node-config.md", table: NODE_CONFIG_ARGUMENTS },
  NodeAllocation: { file: "docs/node-allocation.md", table: ALLOCATION_ARGUMENTS },
  ConfigDrive: { file: "docs/config-drive.md", table: CONFIG_DRIVE_ARGUMENTS },
};

function typeText(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodOptional) return typeText(schema.unwrap());
  if (schema instanceof z.ZodEnum) {
    const words = schema.options.map((option) => `\`${option}\``);
    return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  }
  if (schema instanceof z.ZodString) return "string";
  if (schema instanceof z.ZodNumber) return schema.format === "safeint" ? "integer" : "number";
  if (schema instanceof z.ZodBoolean) return "boolean";
  if (schema instanceof z.ZodArray) return `list of ${typeText(schema.element)}s`;
  if (schema instanceof z.ZodUnion) return schema.options.map(typeText).join(" or ");
  if (schema instanceof z.ZodRecord)
    return schema.valueType instanceof z.ZodUnknown ? "object" : `object of ${typeText(schema.valueType)}s`;
  return "object";
}

const needText = ({ feature, says = "Needs" }: NonNullable<ArgumentRow["needs"]>[number]): string =>
  `${says} API ${formatMinor(featureMinors[feature])}.`;

function rowText(name: string, { schema, change, needs = [], secret, meaning, ...row }: ArgumentRow): string {
  const without = schema instanceof z.ZodOptional ? "none" : "required";
  const sentences = [meaning, ...(secret ? ["Secret."] : []), ...needs.map(needText)].join(" ");
  return `| \`${name}\` | ${typeText(schema)} | ${row.default ?? without} | ${CHANGES[change]} | ${sentences} |`;
}

export const optionTable = (table: Readonly<Record<string, ArgumentRow>>): string =>
  [
    "| property | type | default | a change | meaning |",
    "|---|---|---|---|---|",
    ...Object.entries(table)
      .filter(([, { meaning }]) => meaning !== undefined)
      .map(([name, row]) => rowText(name, row)),
  ].join("\n");

/** The document of `resource` as it stands, and as it is to be. */
export function documentOf(resource: string): { path: string; before: string; after: string } {
  const { file, table } = DOCUMENTS[resource] ?? {};
  if (file === undefined || table === undefined) throw new Error(`no document of ${resource}`);
  const path = join(root, file);
  const before = readFileSync(path, "utf8");
  const begin = `<!-- options: ${resource} -->\n`;
  const [start, end] = [before.indexOf(begin), before.indexOf("\n<!-- /options -->")];
  if (start < 0 || end < start) throw new Error(`${file} has no place for the options of ${resource}`);
  const after = before.slice(0, start + begin.length) + optionTable(table) + before.slice(end);
  return { path, before, after };
}
