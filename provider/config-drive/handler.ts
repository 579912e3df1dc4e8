/** ConfigDrive in the provider process. */
import { createHash } from "node:crypto";
import { canonicalJson, isNodeGone, ProblemError } from "../core/index.ts";
import {
  buildDrive,
  checkDrive,
  type DriveArgs,
  describeSource,
  driveShape,
  formatReference,
  readKeyFile,
} from "../drive/index.ts";
import type { Client } from "../http/index.ts";
import { isSameNode, readNode, readPortGroups, readPorts } from "../node/index.ts";
import type { Call, CheckFailure, Handler, Props, Services } from "../plugin/index.ts";
import { missing, type Need, report } from "../preflight/index.ts";
import { hasUnknown, InvalidInput } from "../schema/index.ts";

const INPUTS = ["node", ...Object.keys(driveShape), "filesSha256"];

interface Outputs {
  content: string;
  sha256: string;
  contentFormat: string;
  /** Why this format. */
  formatReason: string;
  ports: string[];
  nodeUuid?: string | undefined;
  drift?: string | undefined;
}
type State = DriveArgs & Outputs & { node: string; filesSha256?: string };

const refused = (error: unknown): ProblemError | unknown =>
  error instanceof InvalidInput
    ? new ProblemError({ problem: error.message, advice: "Correct the ConfigDrive's arguments.", cause: error })
    : error;

const pick = (props: Props, keys: readonly string[]): Props =>
  Object.fromEntries(keys.filter((key) => props[key] !== undefined).map((key) => [key, props[key]]));

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
      throw new InvalidInput([{ path: `metaData.publicKeyFiles[${index}]`, reason: `can't be read (${code})` }]);
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
  try {
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
    for (const warning of warnings) call.warn(`Config drive of node ${node}: ${warning}.`);
    return { content, sha256, contentFormat: format, formatReason, ports, nodeUuid: facts.nodeUuid };
  } catch (error) {
    throw refused(error);
  }
}

/** What is wanted of Ironic that older ones lack; without a word about the format, an ISO does everywhere. */
const needsOf = ({ format, vendorData }: Props): Need[] =>
  format !== "json"
    ? []
    : [
        { path: "format", feature: "configDriveJson" },
        ...(vendorData === undefined ? [] : [{ path: "vendorData", feature: "vendorData" } as const]),
      ];

const argsOf = (props: Props): DriveArgs => pick(props, Object.keys(driveShape)) as DriveArgs;

export const configDriveHandler: Handler = {
  secretOutputs: ["content", "sha256", "userData", "vendorData", "imageBase64", "filesSha256"],

  async check(_olds, news, services, call) {
    const failures: CheckFailure[] = [...checkDrive(news)];
    const strange = Object.keys(news).filter((key) => !INPUTS.includes(key));
    for (const key of strange)
      failures.push({ path: key, reason: `there is no such property; there are ${INPUTS.slice(0, -1).join(", ")}` });
    if (typeof news.node !== "string" || news.node === "")
      failures.push({ path: "node", reason: "must be a node's name or UUID" });
    if (failures.length === 0)
      failures.push(
        ...(await report(`Config drive of node ${news.node}`, services, call, () =>
          missing(needsOf(news), services, call),
        )),
      );
    if (failures.length > 0 || hasUnknown(news)) return { inputs: news, failures };
    try {
      const sha256 = await filesSha256(argsOf(news));
      return { inputs: { ...news, ...(sha256 !== undefined && { filesSha256: sha256 }) }, failures };
    } catch (error) {
      if (error instanceof InvalidInput) return { inputs: news, failures: [...error.failures] };
      throw error;
    }
  },

  async diff(_id, olds, news, services, { signal }) {
    const state = olds as unknown as State;
    const changed =
      state.drift !== undefined ||
      hasUnknown(news) ||
      INPUTS.some((key) => key !== "node" && canonicalJson(olds[key] ?? null) !== canonicalJson(news[key] ?? null));
    const replaces =
      !hasUnknown(news.node) && (await isSameNode(state, String(news.node), services.client, signal)) ? [] : ["node"];
    return { changes: changed || replaces.length > 0, replaces, deleteBeforeReplace: true };
  },

  async create(inputs, services, call) {
    const node = String(inputs.node);
    const outputs = await build(node, argsOf(inputs), services, call);
    return { id: outputs.nodeUuid ?? node, outs: { ...outputs } };
  },

  async read(id, props, services, call) {
    const state = props as unknown as State;
    const { drift: _before, ...rest } = state;
    const inputs = pick(props, INPUTS);
    try {
      const quiet = { ...call, warn: () => undefined };
      const outputs = await build(state.nodeUuid ?? state.node, argsOf(props), services, quiet);
      const same = outputs.sha256 === state.sha256;
      return {
        id,
        inputs,
        props: {
          ...rest,
          ports: outputs.ports,
          ...(!same && { drift: "the node's ports, or the drive's files, changed" }),
        },
      };
    } catch (error) {
      if (isNodeGone(error)) return undefined;
      if (error instanceof ProblemError) return { id, inputs, props: { ...rest, drift: error.problem } };
      throw error;
    }
  },

  async update(_id, olds, news, services, call) {
    const state = olds as unknown as State;
    const outputs = await build(state.nodeUuid ?? String(news.node), argsOf(news), services, call);
    return { outs: { nodeUuid: state.nodeUuid, ...outputs } };
  },

  delete: async () => undefined,
};
