/**
 * Where `ironic:stackId` stands for several stacks of a project: in Pulumi.yaml, whose `config:` is for all of them, or in the
 * settings files of two. Sees only files: https://www.pulumi.com/docs/iac/concepts/projects/project-file/
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import * as z from "zod";

const KEY = "ironic:stackId";
const SUFFIXES = ["yaml", "yml", "json"] as const;
const STACK_FILE = /^Pulumi\..+\.(yaml|yml|json)$/;

/** In a project file a value may be wrapped. */
const value = z.union([z.string(), z.looseObject({ value: z.string() }), z.looseObject({ default: z.string() })]);
const fileSchema = z.looseObject({
  name: z.string().optional(),
  stackConfigDir: z.string().optional(),
  config: z.looseObject({ [KEY]: value.optional() }).optional(),
});
type SettingsFile = z.infer<typeof fileSchema>;

/** Undefined where it cannot be read, or is none: Pulumi itself complains of that. */
function readSettingsFile(path: string): SettingsFile | undefined {
  try {
    return fileSchema.safeParse(parse(readFileSync(path, "utf8"), { logLevel: "error" })).data;
  } catch {
    return undefined;
  }
}

function idIn(file: SettingsFile | undefined): string | undefined {
  const found = file?.config?.[KEY];
  const { data } = value.safeParse(found);
  if (data === undefined || typeof data === "string") return data;
  return String("value" in data ? data.value : data.default);
}

/** The project file of `project` that is nearest above `folder`: the program may be in another project's tree. */
function projectFileAbove(
  folder: string,
  project: string | undefined,
): { path: string; file: SettingsFile } | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    for (const suffix of SUFFIXES) {
      const path = join(at, `Pulumi.${suffix}`);
      const file = existsSync(path) ? readSettingsFile(path) : undefined;
      if (file && (project === undefined || file.name === project)) return { path, file };
    }
    if (at === dirname(at)) return undefined;
  }
}

/** Why stacks of the project share `stackId`, seen from `folder`, that of the program; undefined where none can be seen to. */
export function whyShared(stackId: string, folder: string, project: string | undefined): string | undefined {
  const found = projectFileAbove(folder, project);
  if (!found) return undefined;
  const { path, file } = found;
  const advice = `use \`pulumi config set ${KEY} ID\` in one stack`;
  if (idIn(file) === stackId)
    return `stands in ${path.slice(dirname(path).length + 1)}, so all stacks of the project would have one identity; remove it there and ${advice}`;
  const settings = join(dirname(path), file.stackConfigDir ?? "");
  const names = existsSync(settings) ? readdirSync(settings).filter((name) => STACK_FILE.test(name)) : [];
  const sharing = names.filter((name) => idIn(readSettingsFile(join(settings, name))) === stackId).sort();
  if (sharing.length < 2) return undefined;
  return `is the same in ${sharing.join(" and ")}, so these stacks would have one identity; keep it in one of them`;
}
