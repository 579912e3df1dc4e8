import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import type { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type * as providerPb from "@pulumi/pulumi/proto/provider_pb.js";

// The SDK's own instances of what it depends on.
const sdk = createRequire(fileURLToPath(import.meta.resolve("@pulumi/pulumi")));
const grpc = sdk("@grpc/grpc-js");
const { Struct } = sdk("google-protobuf/google/protobuf/struct_pb");
const { Any } = sdk("google-protobuf/google/protobuf/any_pb");
const { Empty } = sdk("google-protobuf/google/protobuf/empty_pb");
const pb = sdk("@pulumi/pulumi/proto/provider_pb.js") as typeof providerPb;
const { Status } = sdk("@pulumi/pulumi/proto/status_pb.js");
const { EngineService } = sdk("@pulumi/pulumi/proto/engine_grpc_pb.js") as { EngineService: EngineClient };
const { ResourceProviderClient: Client } = sdk("@pulumi/pulumi/proto/provider_grpc_pb.js");

type Props = Record<string, unknown>;

export interface Log {
  severity: number;
  message: string;
  urn: string;
  ephemeral: boolean;
  atMs: number;
}

/** An error as Go's engine sees it: with the partial state, if there is one. */
export interface RpcFailure {
  message: string;
  partial?: { id: string; properties: Props; reasons: string[] };
}

const startMs = 20_000;
const methods = ["configure", "check", "diff", "create", "read", "update", "delete", "cancel"] as const;
type Method = (typeof methods)[number];

const failureOf = (error: { details: string; metadata: { get(key: string): Buffer[] } }): RpcFailure => {
  const [packed] = error.metadata.get("grpc-status-details-bin");
  if (!packed) return { message: error.details };
  const status = Status.deserializeBinary(new Uint8Array(packed));
  const detail: InstanceType<typeof Any> = status.getDetailsList()[0];
  const failed = pb.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
  const properties = failed.getProperties()?.toJavaScript() as Props;
  return {
    message: error.details,
    partial: { id: failed.getId(), properties, reasons: failed.getReasonsList() },
  };
};

/** Pulumi's real dynamic provider process, with a small engine at its other side. */
export interface ProviderProcess {
  readonly child: ChildProcess;
  readonly logs: Log[];
  readonly output: () => string;
  call(method: Method, request: unknown): Promise<unknown>;
  check(olds: Props, news: Props): Promise<{ inputs: Props; failures: { property: string; reason: string }[] }>;
  create(props: Props, timeoutSeconds?: number): Promise<{ id: string; properties: Props }>;
  update(id: string, olds: Props, news: Props): Promise<Props>;
  read(id: string, props: Props): Promise<{ id: string; properties: Props | undefined; inputs: Props | undefined }>;
  diff(id: string, olds: Props, news: Props): Promise<providerPb.DiffResponse>;
  delete(id: string, props: Props): Promise<void>;
  cancel(): Promise<void>;
  stop(): Promise<void>;
}

const startEngine = async (logs: Log[]) => {
  const server = new grpc.Server();
  const unimplemented = (_call: unknown, done: (error: unknown) => void) => done({ code: grpc.status.UNIMPLEMENTED });
  server.addService(EngineService, {
    log: ({ request }: { request: LogRequest }, done: (error: unknown, answer: unknown) => void) => {
      logs.push({
        severity: request.getSeverity(),
        message: request.getMessage(),
        urn: request.getUrn(),
        ephemeral: request.getEphemeral(),
        atMs: performance.now(),
      });
      done(null, new Empty());
    },
    getRootResource: unimplemented,
    setRootResource: unimplemented,
    startDebugging: unimplemented,
    requirePulumiVersion: unimplemented,
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error: Error | null, bound: number) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { server, address: `127.0.0.1:${port}` };
};

/** `blind`: without an engine to talk to and without a pipe to its standard input. */
const startChild = async (address: string, cwd: string, blind: boolean) => {
  const script = sdk.resolve("@pulumi/pulumi/cmd/dynamic-provider");
  const args = [script, "--logflow", "-v=3", blind ? "nowhere" : address];
  const child = spawn(process.execPath, args, { cwd, stdio: [blind ? "ignore" : "pipe", "pipe", "pipe"] });
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error("no pipes");
  let text = "";
  stderr.on("data", (chunk) => {
    text += chunk;
  });
  const port = new Promise<number>((resolve) => stdout.once("data", (chunk) => resolve(Number(chunk))));
  stdout.on("data", (chunk) => {
    text += chunk;
  });
  const ended = once(child, "exit").then(() => Promise.reject(new Error(`the provider process ended: ${text}`)));
  ended.catch(() => {});
  const late = AbortSignal.timeout(startMs);
  const timedOut = once(late, "abort").then(() => Promise.reject(new Error(`no port within ${startMs} ms: ${text}`)));
  timedOut.catch(() => {});
  return { child, port: await Promise.race([port, ended, timedOut]), output: () => text };
};

export const urn = "urn:pulumi:dev::project::pulumi-nodejs:dynamic/ironic:RamdiskDeployment::worker-1";

const optional = (struct: { toJavaScript(): unknown } | undefined): Props | undefined =>
  struct?.toJavaScript() as Props | undefined;

/** `text` is the provider as it stands in the state; each call carries it. */
export const startProvider = async (
  text: string,
  options: { config?: Props; cwd?: string; blind?: boolean } = {},
): Promise<ProviderProcess> => {
  const logs: Log[] = [];
  const engine = await startEngine(logs);
  const { child, port, output } = await startChild(
    engine.address,
    options.cwd ?? process.cwd(),
    options.blind ?? false,
  );
  const client: ResourceProviderClient = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const call = <T>(method: Method, request: unknown): Promise<T> =>
    new Promise((resolve, reject) => {
      const send = client[method].bind(client) as unknown as (
        request: unknown,
        done: (error: unknown, answer: T) => void,
      ) => void;
      send(request, (error, answer) => (error ? reject(failureOf(error as never)) : resolve(answer)));
    });
  const struct = (props: Props) => Struct.fromJavaScript({ ...props, __provider: text });

  await call("configure", new pb.ConfigureRequest().setArgs(Struct.fromJavaScript(options.config ?? {})));
  return {
    child,
    logs,
    output,
    call,
    check: async (olds, news) => {
      const request = new pb.CheckRequest().setUrn(urn).setOlds(Struct.fromJavaScript(olds)).setNews(struct(news));
      const answer = await call<providerPb.CheckResponse>("check", request);
      return {
        inputs: optional(answer.getInputs()) ?? {},
        failures: answer.getFailuresList().map((failure) => failure.toObject()),
      };
    },
    create: async (props, timeoutSeconds = 0) => {
      const request = new pb.CreateRequest().setUrn(urn).setTimeout(timeoutSeconds).setProperties(struct(props));
      const answer = await call<providerPb.CreateResponse>("create", request);
      return { id: answer.getId(), properties: optional(answer.getProperties()) ?? {} };
    },
    update: async (id, olds, news) => {
      const request = new pb.UpdateRequest().setUrn(urn).setId(id).setOlds(struct(olds)).setNews(struct(news));
      return optional((await call<providerPb.UpdateResponse>("update", request)).getProperties()) ?? {};
    },
    read: async (id, props) => {
      const request = new pb.ReadRequest().setUrn(urn).setId(id).setProperties(struct(props));
      const answer = await call<providerPb.ReadResponse>("read", request);
      return {
        id: answer.getId(),
        properties: optional(answer.getProperties()),
        inputs: optional(answer.getInputs()),
      };
    },
    diff: async (id, olds, news) =>
      call("diff", new pb.DiffRequest().setUrn(urn).setId(id).setOlds(struct(olds)).setNews(struct(news))),
    delete: async (id, props) => {
      await call("delete", new pb.DeleteRequest().setUrn(urn).setId(id).setProperties(struct(props)));
    },
    cancel: async () => {
      await call("cancel", new Empty());
    },
    stop: async () => {
      (client as unknown as { close(): void }).close();
      engine.server.forceShutdown();
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
};
