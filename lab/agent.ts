// The lab's agent: plays the ramdisk agent for every node that waits for one while it cleans, so that automated cleaning
// really runs on machines that do not exist. The conversation is Ironic's own:
// https://docs.openstack.org/ironic-python-agent/latest/contributor/architecture.html and .../admin/how_it_works.html
//   GET  /mode           what it does now     PUT /mode "silent"   from now on
// Modes: "normal" cleans; "silent" never calls (clean wait for ever); "failing" answers each step FAILED (clean failed).
import { createServer, type IncomingMessage, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { readBody } from "./child.ts";
import type { IronicApi } from "./session.ts";

export const agentModes = ["normal", "silent", "failing"] as const;
export type AgentMode = (typeof agentModes)[number];

interface Command {
  command_name: string;
  command_params: unknown;
  command_status: "SUCCEEDED" | "FAILED";
  command_error: unknown;
  command_result: unknown;
}

/** One imagined boot of the agent on a node. */
interface Boot {
  token: string;
  commands: Command[];
}

const hardwareManagers = { LabHardwareManager: "1" };
const cleanSteps = {
  LabHardwareManager: [
    { interface: "deploy", step: "erase_devices_metadata", priority: 10, reboot_requested: false, abortable: true },
  ],
};

export class LabAgent {
  mode: AgentMode = "normal";
  /** How many nodes were seen cleaned to the end of a step; for tests. */
  stepsDone = 0;
  readonly #api: IronicApi;
  readonly #boots = new Map<string, Boot>();

  constructor(api: IronicApi) {
    this.#api = api;
  }

  /** HTTP side: what Ironic sends to the agent of a node, below /nodes/<uuid>, and the mode switch. */
  server(): Server {
    return createServer((request, response) => {
      this.#answer(request).then(
        ([status, body]) =>
          response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }

  async #answer(request: IncomingMessage): Promise<[number, unknown]> {
    const url = new URL(request.url ?? "/", "http://agent");
    const body = request.method === "GET" ? "" : await readBody(request);
    if (url.pathname === "/mode") {
      if (request.method === "PUT") {
        const wanted = agentModes.find((mode) => mode === JSON.parse(body));
        if (wanted === undefined) return [400, { faultstring: `mode is one of ${agentModes.join(", ")}` }];
        this.mode = wanted;
      }
      return [200, { mode: this.mode, stepsDone: this.stepsDone }];
    }
    const uuid = /^\/nodes\/([^/]+)\/v1\/commands\/?$/.exec(url.pathname)?.[1];
    const boot = uuid === undefined ? undefined : this.#boots.get(uuid);
    if (boot === undefined) return [404, { faultstring: "no such agent" }];
    const token = url.searchParams.get("agent_token");
    // Older Ironics look at the results without a token.
    if (token !== boot.token && !(request.method === "GET" && token === null))
      return [401, { faultstring: "wrong agent_token" }];
    if (request.method === "GET") return [200, { commands: boot.commands }];
    const { name, params } = JSON.parse(body) as { name: string; params: Record<string, unknown> };
    const command = this.#execute(name, params);
    boot.commands.push(command);
    return [200, command];
  }

  #execute(name: string, params: Record<string, unknown>): Command {
    const shortName = name.slice(name.indexOf(".") + 1);
    const base = { command_name: shortName, command_params: params, command_error: null };
    const versions = { hardware_manager_version: hardwareManagers };
    if (shortName === "get_clean_steps")
      return { ...base, command_status: "SUCCEEDED", command_result: { clean_steps: cleanSteps, ...versions } };
    if (this.mode === "failing") {
      const error = {
        type: "CleaningError",
        code: 500,
        message: "Clean step failed",
        details: "The lab agent was told to fail",
      };
      return { ...base, command_status: "FAILED", command_error: error, command_result: null };
    }
    this.stepsDone++;
    const result = { clean_result: null, clean_step: params.step };
    return { ...base, command_status: "SUCCEEDED", command_result: result };
  }

  /** One look at Ironic: nodes in `clean wait` are called. Gives how many there were. */
  async tick(callback: string): Promise<number> {
    if (this.mode === "silent") return 0;
    const { status, body } = await this.#api("GET", "/v1/nodes?provision_state=clean%20wait&fields=uuid,maintenance");
    if (status !== 200) return 0;
    const waiting: { uuid: string; maintenance: boolean }[] = body.nodes;
    const uuids = new Set(waiting.map((node) => node.uuid));
    for (const uuid of this.#boots.keys())
      if (!uuids.has(uuid) && !(await this.#stillCleans(uuid))) this.#boots.delete(uuid);
    for (const { uuid, maintenance } of waiting) if (!maintenance) await this.#call(uuid, callback);
    return waiting.length;
  }

  /** Between two steps a node is in `cleaning` for a moment: its agent has not gone. */
  async #stillCleans(uuid: string): Promise<boolean> {
    const { status, body } = await this.#api("GET", `/v1/nodes/${uuid}/states`);
    return status === 200 && ["cleaning", "clean wait"].includes(body.provision_state);
  }

  async #call(uuid: string, callback: string): Promise<void> {
    const boot = this.#boots.get(uuid) ?? (await this.#boot(uuid));
    if (boot === undefined) return;
    const heartbeat = { callback_url: `${callback}/nodes/${uuid}`, agent_version: "11.0.0", agent_token: boot.token };
    const { status } = await this.#api("POST", `/v1/heartbeat/${uuid}`, heartbeat);
    // "Invalid or missing agent token": the node was booted anew since, and has to be looked up again.
    if ([400, 401, 404].includes(status)) this.#boots.delete(uuid);
  }

  /** The token is told once a boot: https://docs.openstack.org/ironic/latest/admin/agent-token.html */
  async #boot(uuid: string): Promise<Boot | undefined> {
    const { status, body } = await this.#api("GET", `/v1/lookup?node_uuid=${uuid}`);
    const token: unknown = body?.config?.agent_token;
    if (status !== 200 || typeof token !== "string" || token.startsWith("*")) return undefined;
    const boot: Boot = { token, commands: [] };
    this.#boots.set(uuid, boot);
    return boot;
  }
}

/** Looks at Ironic for ever: often while a node waits, once a second else. */
export async function pollForEver(agent: LabAgent, callback: string): Promise<never> {
  for (;;) {
    const waiting = await agent.tick(callback).catch(() => 0); // a conductor that is down is no reason to give up
    await sleep(waiting > 0 ? 200 : 1000);
  }
}
