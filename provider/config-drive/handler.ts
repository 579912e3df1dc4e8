/** ConfigDrive in the provider process. */
import { createHash } from "node:crypto";
import * as z from "zod";
import { failureLines, ProblemError, withCode } from "../core/index.ts";
import {
  buildDrive,
  checkDrive,
  type DriveArgs,
  describeSource,
  formatReference,
  readKeyFile,
} from "../drive/index.ts";
import type { Client } from "../http/index.ts";
import { isSameNode, readNode, readPortGroups, readPorts } from "../node/index.ts";
import {
  type Call,
  type CheckFailure,
  changedArguments,
  declaredIn,
  defineHandler,
  needsIn,
  type Props,
  type Services,
  shapeOf,
} from "../plugin/index.ts";
import { missing, report } from "../preflight/index.ts";
import { InvalidInput, known, object, type Parsed, parse, refused, typesOnly } from "../schema/index.ts";
import { CONFIG_DRIVE_ARGUMENTS, type ConfigDriveProps } from "./arguments.ts";
import { SECRET_OUTPUTS } from "./secrets.ts";

const outputs = {
  content: z.string(),
  sha256: z.string(),
  contentFormat: z.string(),
  /** Why this format. */
  formatReason: z.string(),
  ports: z.array(z.string()),
  nodeUuid: z.string().optional(),
  drift: z.string().optional(),
};
type Outputs = z.infer<z.ZodObject<typeof outputs>>;
type State = ConfigDriveProps & Outputs;
const argumentsSchema = object(shapeOf(CONFIG_DRIVE_ARGUMENTS));
const stateSchema: z.ZodType<State> = z.looseObject({ ...typesOnly(shapeOf(CONFIG_DRIVE_ARGUMENTS)), ...outputs });

/** Hash of what the arguments name but do not hold, so that a changed file is a changed input. */
async function filesSha256(args: DriveArgs): Promise<string | undefined> {
  const source = await describeSource(args);
  if (source) return source.sha256;
  const files = args.metaData?.publicKeyFiles;
  if (!files) return undefined;
  const hash = createHash("sha256");
  for (const [index, file] of files.entries()) {
    try {
      hash.update(readKeyFile(file)).update("\0");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new InvalidInput([
        { path: `metaData.publicKeyFiles[${index}]`, reason: `cannot be read (${code})`, code: "ssh-key-invalid" },
      ]);
    }
  }
  return hash.digest("hex");
}

/** What only Ironic knows: MAC addresses, and the node's name where the image is made here. As few requests as do. */
async function factsOf(client: Client, node: string, args: DriveArgs, call: Call) {
  const [json, vendor] = [await client.supports("configDriveJson"), await client.supports("vendorData")];
  const ports = args.network || args.networkData ? await readPorts(client, node, call.signal) : [];
  const grouped =
    ports.some(({ portgroup_uuid }) => portgroup_uuid) || JSON.stringify(args.network ?? {}).includes("bond");
  const portGroups = grouped ? await readPortGroups(client, node, call.signal) : [];
  const gzipped = typeof args.userData === "object" && "gzipBase64" in args.userData;
  const image = args.format === "iso" || !json || (args.vendorData !== undefined && !vendor) || gzipped;
  const named = image || ports.length === 0 ? await readNode(client, node, "find the node", call.signal) : undefined;
  return {
    ports,
    portGroups,
    nodeName: named?.name ?? undefined,
    nodeUuid: named?.uuid ?? ports[0]?.node_uuid ?? "",
    supportsJson: json,
    supportsVendorData: vendor,
  };
}

async function build(node: string, args: DriveArgs, services: Services, call: Call): Promise<Outputs> {
  const source = await describeSource(args);
  if (source)
    return {
      content: formatReference(source),
      sha256: source.sha256,
      contentFormat: source.kind,
      formatReason: `the drive comes from ${source.location}`,
      ports: [],
    };
  const client = await services.client();
  const facts = await factsOf(client, node, args, call);
  const { content, sha256, format, formatReason, ports, warnings } = buildDrive(args, facts);
  for (const { code, text } of warnings) call.warn(code, `Config drive of node ${node}: ${text}.`);
  return { content, sha256, contentFormat: format, formatReason, ports, nodeUuid: facts.nodeUuid };
}

/** What refresh stores where the drive cannot be built again; nothing for other errors. */
function driftOf(error: unknown): string | undefined {
  if (error instanceof InvalidInput) return failureLines(error.failures, (text) => text).replaceAll("\n", "; ");
  return error instanceof ProblemError ? withCode(error.problem, error.code) : undefined;
}

const NAMES = Object.keys(CONFIG_DRIVE_ARGUMENTS);
/** Those that programs may give. */
const GIVEN = NAMES.filter((name) => name !== "filesSha256");

function parseArguments(news: Props): Parsed<ConfigDriveProps> {
  const failures: CheckFailure[] = [...checkDrive(news)];
  for (const key of Object.keys(news).filter((key) => !NAMES.includes(key)))
    failures.push({
      path: key,
      reason: `there is no such property; the properties are ${GIVEN.join(", ")}`,
      code: "argument-unknown",
    });
  if (typeof news.node !== "string" || news.node === "")
    failures.push({ path: "node", reason: "must be the name or UUID of a node", code: "argument-invalid" });
  const [first, ...others] = failures;
  return first ? refused([first, ...others]) : parse(argumentsSchema, news);
}

export const configDriveHandler = defineHandler<ConfigDriveProps, Outputs, State>({
  type: "ConfigDrive",
  secretOutputs: SECRET_OUTPUTS,
  inputs: parseArguments,
  state: stateSchema,

  async check(_olds, news, services, call) {
    const failures = await report(`Config drive of node ${news.value.node}`, services, call, () =>
      missing(needsIn(CONFIG_DRIVE_ARGUMENTS, news.value), services, call),
    );
    if (failures.length > 0 || news.kind === "partial") return { failures };
    try {
      const sha256 = await filesSha256(news.value);
      return { failures, ...(sha256 !== undefined && { inputs: { ...news.value, filesSha256: sha256 } }) };
    } catch (error) {
      if (error instanceof InvalidInput) return { failures: [...error.failures] };
      throw error;
    }
  },

  async diff(state, { kind, value }, services, { signal }) {
    const node = known(value.node);
    const isSame = node !== undefined && (await isSameNode(state, node, services.client, signal));
    const changed = changedArguments(CONFIG_DRIVE_ARGUMENTS, state, value, "reboots", "inPlace").length > 0;
    return {
      changes: !isSame || kind === "partial" || state.drift !== undefined || changed,
      replaces: isSame ? [] : ["node"],
    };
  },

  async create(props, services, call) {
    const outs = await build(props.node, props, services, call);
    return { id: outs.nodeUuid ?? props.node, outs };
  },

  async read(id, state, services, call) {
    const { drift: _before, ...rest } = state;
    const inputs = declaredIn(CONFIG_DRIVE_ARGUMENTS, state);
    try {
      const quiet = { ...call, warn: () => undefined };
      const found = await build(state.nodeUuid ?? state.node, state, services, quiet);
      const same = found.sha256 === state.sha256;
      return {
        id,
        inputs,
        props: {
          ...rest,
          ports: found.ports,
          ...(!same && {
            drift: withCode("the node's ports or the drive's files changed", "drift-config-drive"),
          }),
        },
      };
    } catch (error) {
      const drift = driftOf(error);
      if (drift !== undefined) return { id, inputs, props: { ...rest, drift } };
      throw error;
    }
  },

  async update(_id, state, props, services, call) {
    const found = await build(state.nodeUuid ?? props.node, props, services, call);
    return { outs: { nodeUuid: state.nodeUuid, ...found } };
  },

  delete: async () => undefined,
});
