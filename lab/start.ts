// Starting a lab, step by step; whatever began is written down before the next step begins.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { type Orders, startOwn } from "./child.ts";
import { cloudsFor } from "./clouds.ts";
import { debianIronic } from "./debian.ts";
import { keepEnrolled, takeEnrolled } from "./enrolled.ts";
import { freePort, type IronicSite, keepPristine, latestIronic, prepareIronic, startIronic } from "./ironic.ts";
import { authTokenSettings, type KeystoneFacts, type KeystoneSite, startKeystone } from "./keystone.ts";
import { enrol, inventNodes } from "./nodes.ts";
import { LabError, type Log } from "./problem.ts";
import { type Child, run, tailOf } from "./processes.ts";
import { type LabRecord, type LabShape, writeRecord } from "./record.ts";
import { ironicApi } from "./session.ts";
import { stopUnlocked } from "./stop.ts";

/** Starts all servers of a lab and enrols its nodes. On failure nothing is left running; the logs are. */
export async function startServers(dir: string, shape: LabShape, owner: Orders["owner"], log: Log): Promise<LabRecord> {
  rmSync(join(dir, "logs"), { recursive: true, force: true }); // of an earlier lab
  mkdirSync(join(dir, "logs"), { recursive: true });
  const clients = await latestIronic(log);
  const programs = shape.flavour === "debian" ? await debianIronic(log) : clients;
  const ports = { ironic: await freePort(), ironicTls: await freePort(), ironicMutual: await freePort() };
  const record: LabRecord = {
    shape,
    finished: false,
    children: [],
    programs,
    ironicPort: ports.ironic,
    door: { url: shape.tls ? `https://127.0.0.1:${ports.ironicTls}` : `http://127.0.0.1:${ports.ironic}` },
    nodes: inventNodes(shape.nodes),
    images: { url: "", kernel: "", ramdisk: "", iso: "" },
    agentUrl: "",
    python: clients.python,
    baremetal: clients.baremetal,
    clouds: {},
    extras: {},
  };
  const keep = (child: Child) => {
    record.children.push(child);
    writeRecord(dir, record);
  };
  try {
    const first = { role: "images", dir, port: 0, ...(owner === undefined ? {} : { owner }) } as const;
    record.images = imageUrls(await startOwn("images", first, keep));
    const doors = await openDoors(dir, record, ports, keep, log);
    writeFileSync(join(dir, "door.json"), JSON.stringify(record.door), { mode: 0o600 });
    const { text, purposes } = cloudsFor(doors);
    writeFileSync(join(dir, "clouds.yaml"), text, { mode: 0o600 });
    record.clouds = purposes;
    record.agentUrl = `http://127.0.0.1:${await startOwn("agent", { role: "agent", dir, port: 0 }, keep)}`;
    log(`Starting Ironic ${programs.version}`);
    await prepareIronic(programs, siteOf(dir, record), shape, log);
    const enrolled = await takeEnrolled(dir, record);
    await startIronic(programs, siteOf(dir, record), keep);
    if (!enrolled) await enrol(ironicApi(record.door), record.nodes, record.images, record.owner, log);
    await keepPristine(record.python, dir);
    if (!enrolled) await keepEnrolled(dir, record);
    record.finished = true;
    writeRecord(dir, record);
    return record;
  } catch (error) {
    await stopUnlocked(dir, () => {});
    if (error instanceof LabError) throw error;
    const tail = tailOf(join(dir, "logs", "ironic.log"));
    throw new LabError(
      `The lab did not start: ${(error as Error).message}`,
      `Its logs are in ${join(dir, "logs")}`,
      tail,
    );
  }
}

function imageUrls(port: number): LabRecord["images"] {
  const url = `http://127.0.0.1:${port}`;
  return { url, kernel: `${url}/kernel`, ramdisk: `${url}/ramdisk`, iso: `${url}/iso` };
}

export function siteOf(dir: string, record: LabRecord): IronicSite {
  const { ironicPort: port, door, authToken } = record;
  return { dir, port, publicUrl: door.url, ...(authToken === undefined ? {} : { keystoneConfig: authToken }) };
}

interface Ports {
  ironic: number;
  ironicTls: number;
  ironicMutual: number;
}

/** How clients log in: fills the record's door and extras, and starts Keystone and TLS where they are wanted. */
async function openDoors(
  dir: string,
  record: LabRecord,
  ports: Ports,
  keep: (child: Child) => void,
  log: Log,
): Promise<Parameters<typeof cloudsFor>[0]> {
  const { shape, door } = record;
  const certificates = shape.tls ? await makeCertificates(record.python, dir) : undefined;
  let mutualUrl: string | undefined;
  if (certificates !== undefined) {
    door.caFile = certificates.ca;
    mutualUrl = `https://127.0.0.1:${ports.ironicMutual}`;
    const { ca, otherCa, clientCert, clientKey } = certificates;
    record.extras = { ...record.extras, mutualUrl, ca, otherCa, clientCert, clientKey };
    await startTls("tls-ironic", dir, ports.ironicTls, ports.ironic, certificates, false, keep);
    await startTls("tls-ironic-mutual", dir, ports.ironicMutual, ports.ironic, certificates, true, keep);
  }
  if (shape.auth === "basic") door.basic = await basicUser(record.python, dir);
  const keystone = shape.auth === "keystone" ? await openKeystone(dir, record, certificates, keep, log) : undefined;
  return {
    door,
    ...(keystone === undefined ? {} : { keystone }),
    ...(certificates === undefined ? {} : { certificates }),
    ...(mutualUrl === undefined ? {} : { mutualUrl }),
  };
}

async function startTls(
  name: string,
  dir: string,
  port: number,
  target: number,
  certificates: Certificates,
  clientCertificate: boolean,
  keep: (child: Child) => void,
): Promise<void> {
  const { serverCert: cert, serverKey: key, ca } = certificates;
  const tls = { target, cert, key, ca, clientCertificate };
  await startOwn(name, { role: "tls", dir, port, tls }, keep);
}

/** https://docs.openstack.org/ironic/latest/install/standalone/configure.html : a file of bcrypt hashes. */
async function basicUser(python: string, dir: string): Promise<{ username: string; password: string }> {
  const password = `basic-pw:${crypto.randomUUID()}`;
  const code = "import bcrypt, sys; print(bcrypt.hashpw(sys.stdin.read().encode(), bcrypt.gensalt(rounds=4)).decode())";
  const hash = await run(python, ["-c", code], { input: password, timeoutMs: 60_000 });
  // $2y$ is how Apache's tools, which Ironic expects, name the same hash.
  writeFileSync(join(dir, "htpasswd"), `lab:${hash.trim().replace(/^\$2b\$/, "$2y$")}\n`, { mode: 0o600 });
  return { username: "lab", password };
}

async function openKeystone(
  dir: string,
  record: LabRecord,
  certificates: Certificates | undefined,
  keep: (child: Child) => void,
  log: Log,
): Promise<{ authUrl: string; facts: KeystoneFacts }> {
  const port = await freePort();
  let authUrl = `http://127.0.0.1:${port}/v3`;
  if (certificates !== undefined) {
    const tlsPort = await freePort();
    authUrl = `https://127.0.0.1:${tlsPort}/v3`;
    await startTls("tls-keystone", dir, tlsPort, port, certificates, false, keep);
  }
  const site: KeystoneSite = {
    dir,
    port,
    publicUrl: authUrl,
    ironicUrl: record.door.url,
    tokenLifeSeconds: record.shape.tokenLifeSeconds,
    ...(certificates === undefined ? {} : { caFile: certificates.ca }),
  };
  const facts = await startKeystone(site, log, keep);
  record.authToken = authTokenSettings(site, facts);
  record.owner = facts.projectId;
  record.door.keystone = { authUrl, username: "admin", password: facts.passwords.admin ?? "", system: true };
  const { totpSecret, projectId, lesseeProjectId } = facts;
  record.extras = { ...record.extras, keystoneUrl: authUrl, totpSecret, projectId, lesseeProjectId };
  return { authUrl, facts };
}
