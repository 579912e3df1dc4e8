// A loopback server of kernel, ramdisk and ISO. They need not boot: a conductor only fetches and stores them. Behaviours
// for tests are chosen by the path or, for a plain path, told at run time.
//   /kernel  /ramdisk  /iso             the files
//   /status/404/kernel                  that status
//   /delay/1500/kernel                  the file, after so many milliseconds
//   /hang/kernel                        an answer that never comes
//   /reset/kernel                       the connection is cut
//   PUT /behaviour {"path": "/kernel", "behaviour": "status/404"}   from now on ("" makes it plain again)
//   GET /requests                       [{method, path}] seen so far
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { readBody } from "./child.ts";

const sectorBytes = 2048;

/** An ISO 9660 file system with an empty root directory: a volume descriptor that readers accept, nothing else. */
function emptyIso(): Buffer {
  const image = Buffer.alloc(32 * sectorBytes);
  const both16 = (at: number, value: number) => {
    image.writeUInt16LE(value, at);
    image.writeUInt16BE(value, at + 2);
  };
  const both32 = (at: number, value: number) => {
    image.writeUInt32LE(value, at);
    image.writeUInt32BE(value, at + 4);
  };
  const rootSector = 20;
  const directoryRecord = (at: number, name: number) => {
    image[at] = 34;
    both32(at + 2, rootSector);
    both32(at + 10, sectorBytes);
    image[at + 25] = 2; // a directory
    both16(at + 28, 1);
    image[at + 32] = 1;
    image[at + 33] = name;
  };
  const volume = 16 * sectorBytes;
  image.write("\x01CD001\x01", volume, "latin1");
  image.write(" ".repeat(32) + "LAB".padEnd(32), volume + 8, "latin1");
  both32(volume + 80, image.length / sectorBytes);
  both16(volume + 120, 1);
  both16(volume + 124, 1);
  both16(volume + 128, sectorBytes);
  directoryRecord(volume + 156, 0);
  image[volume + 881] = 1;
  image.write("\xffCD001\x01", 17 * sectorBytes, "latin1");
  directoryRecord(rootSector * sectorBytes, 0);
  directoryRecord(rootSector * sectorBytes + 34, 1);
  return image;
}

const files: Readonly<Record<string, Buffer>> = {
  "/kernel": Buffer.alloc(64 * 1024, "lab kernel "),
  "/ramdisk": Buffer.alloc(256 * 1024, "lab ramdisk "),
  "/iso": emptyIso(),
};

const behaviours: Readonly<Record<string, (response: ServerResponse, argument: string) => Promise<"done" | "serve">>> =
  {
    status: async (response, code) => {
      response.writeHead(Number(code)).end(`status ${code}, as asked for\n`);
      return "done";
    },
    delay: async (_response, ms) => {
      await sleep(Number(ms));
      return "serve";
    },
    hang: async () => "done",
    reset: async (response) => {
      response.socket?.destroy();
      return "done";
    },
  };

/** The server, not yet listening. */
export function imageServer(): Server {
  const told = new Map<string, string>();
  const seen: { method: string; path: string }[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? "/", "http://images").pathname;
    if (path === "/requests") {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(seen));
      return;
    }
    if (path === "/behaviour" && request.method === "PUT") {
      const rule = JSON.parse(await readBody(request)) as { path: string; behaviour: string };
      if (rule.behaviour === "") told.delete(rule.path);
      else told.set(rule.path, rule.behaviour);
      response.writeHead(204).end();
      return;
    }
    seen.push({ method: request.method ?? "", path });
    if (seen.length > 10_000) seen.shift();
    const wanted = told.has(path) ? `/${told.get(path)}${path}` : path;
    const file = `/${wanted.split("/").at(-1)}`;
    const [, name = "", argument = ""] = wanted.split("/");
    const behaviour = behaviours[name];
    if (behaviour !== undefined && (await behaviour(response, argument)) === "done") return;
    serveFile(request, response, file);
  };
  return createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
}

function serveFile(request: IncomingMessage, response: ServerResponse, name: string): void {
  const content = files[name];
  if (content === undefined) {
    response.writeHead(404).end("no such file\n");
    return;
  }
  // A fixed date: conductors fetch a file again only when it is newer than their copy.
  const headers = { "content-length": content.length, "last-modified": "Wed, 01 Jan 2025 00:00:00 GMT" };
  response.writeHead(200, { ...headers, "content-type": "application/octet-stream" });
  response.end(request.method === "HEAD" ? undefined : content);
}
