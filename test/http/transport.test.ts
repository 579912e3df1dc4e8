import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp, type RequestListener, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { expect } from "chai";
import nock from "nock";
import { isInNoProxyNetwork } from "../../provider/connection/proxies.ts";
import {
  createTransport,
  type Transport,
  type TransportError,
  type TransportOptions,
} from "../../provider/http/transport.ts";
import { rejection } from "../fakes/http-server.ts";

const listen = async (server: NetServer): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
};

const hello: RequestListener = (request, response) => response.end(`${request.method} ${request.url}`);

interface Certificates {
  ca: string;
  cert: string;
  key: string;
}

/** An authority, and a certificate of it for 127.0.0.1 that server and client share. */
const makeCertificates = (folder: string): Certificates => {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const elliptic = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  writeFileSync(join(folder, "ext"), "subjectAltName=IP:127.0.0.1\n");
  openssl(
    "req",
    "-x509",
    ...elliptic,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=Test authority",
  );
  openssl("req", ...elliptic, "-keyout", "key.pem", "-out", "req.pem", "-subj", "/CN=test");
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext"];
  openssl("x509", "-req", "-in", "req.pem", ...signing, "-out", "cert.pem");
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
};

describe("transport", () => {
  let transport: Transport;
  const servers: Server[] = [];
  const start = async (server: Server): Promise<number> => {
    servers.push(server);
    return listen(server);
  };
  const ask = (url: string, options: TransportOptions, method: "GET" | "PUT" = "GET") => {
    transport = createTransport(options);
    return transport.exchange({ method, url: new URL(url), headers: {}, timeoutMs: 5000 });
  };
  const fails = async (url: string, options: TransportOptions): Promise<TransportError> =>
    (await rejection(ask(url, options))) as TransportError;

  before(() => nock.restore());
  after(() => nock.activate());
  afterEach(async () => {
    await transport.close();
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  it("keeps connections of reads, and opens a fresh one for every write", async () => {
    const ports: Array<number | undefined> = [];
    const port = await start(
      createHttp((request, response) => {
        ports.push(request.socket.remotePort);
        response.end();
      }),
    );
    transport = createTransport({ connections: 1 });
    for (const method of ["GET", "GET", "PUT", "PUT"] as const) {
      await transport.exchange({ method, url: new URL(`http://127.0.0.1:${port}/`), headers: {}, timeoutMs: 5000 });
    }
    expect(ports[1]).to.equal(ports[0]);
    expect(new Set(ports.slice(1)).size).to.be.within(2, 3);
    expect(ports[3]).to.not.equal(ports[2]);
  });

  it("reads no more of an error than a person would, and all of a success", async () => {
    const mebibyte = Buffer.alloc(1024 * 1024, "x");
    let sentMebibytes = 0;
    function* body(): Generator<Buffer> {
      for (sentMebibytes = 0; sentMebibytes < 40; sentMebibytes++) yield mebibyte;
    }
    const port = await start(
      createHttp((request, response) => {
        response.statusCode = Number(request.url?.slice(1));
        pipeline(Readable.from(body(), { highWaterMark: 1 }), response, () => undefined);
      }),
    );
    const refused = await ask(`http://127.0.0.1:${port}/502`, {});
    expect(refused).to.deep.include({ status: 502, text: "x".repeat(64 * 1024) });
    expect(sentMebibytes).to.be.below(40);
    expect(
      (
        await transport.exchange({
          method: "GET",
          url: new URL(`http://127.0.0.1:${port}/200`),
          headers: {},
          timeoutMs: 5000,
        })
      ).text,
    ).to.have.length(40 * mebibyte.length);
  });

  it("goes through the proxy of the scheme, but not to what NO_PROXY names", async () => {
    const port = await start(createHttp(hello));
    const seen: string[] = [];
    const proxy = await start(
      createHttp((request, response) => {
        seen.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`.trim());
        response.end("from the proxy");
      }),
    );
    const http = `http://u:p@127.0.0.1:${proxy}`;
    expect((await ask("http://ironic.invalid/v1", { proxy: { http, secrets: [] } })).text).to.equal("from the proxy");
    expect(seen).to.deep.equal([`http://ironic.invalid/v1 Basic ${Buffer.from("u:p").toString("base64")}`]);
    await transport.close();
    const direct = { proxy: { http, none: "localhost, 127.0.0.0/8", secrets: [] } };
    expect((await ask(`http://127.0.0.1:${port}/x`, direct)).text).to.equal("GET /x");
    await transport.close();
    expect((await ask(`http://127.0.0.1:${port}/x`, { proxy: { https: http, secrets: [] } })).text).to.equal("GET /x");
  });

  it("knows networks in NO_PROXY", () => {
    expect(isInNoProxyNetwork("10.1.2.3", "10.0.0.0/8")).to.equal(true);
    expect(isInNoProxyNetwork("11.1.2.3", "10.0.0.0/8,192.0.2.0/24")).to.equal(false);
    expect(isInNoProxyNetwork("[2001:db8::5]", "x 2001:db8::/32")).to.equal(true);
    expect(isInNoProxyNetwork("host", "10.0.0.0/8,bad/bits,1.2.3.4/99")).to.equal(false);
  });

  it("says what is wrong with an address that does not answer", async () => {
    const error = await fails("http://127.0.0.1:1/", {});
    expect(error).to.include({ sent: false, timedOut: false, message: "connection refused (ECONNREFUSED)" });
  });

  describe("over TLS", () => {
    let folder: string;
    let made: Certificates;
    before(function () {
      if (spawnSync("openssl", ["version"]).status !== 0) {
        process.stderr.write("    TLS not tested: there is no openssl to make certificates\n");
        this.skip();
      }
      folder = mkdtempSync(join(tmpdir(), "tls-"));
      made = makeCertificates(folder);
    });
    after(() => folder && rmSync(folder, { recursive: true, force: true }));

    const serve = (mutual = false) =>
      start(
        createHttps(
          {
            key: made.key,
            cert: made.cert,
            ...(mutual ? { ca: made.ca, requestCert: true, rejectUnauthorized: true } : {}),
          },
          hello,
        ) as unknown as Server,
      );

    it("trusts the authority that is named, and nobody else", async () => {
      const url = `https://127.0.0.1:${await serve()}/x`;
      expect((await ask(url, { caCertificate: made.ca })).text).to.equal("GET /x");
      await transport.close();
      const error = await fails(url, {});
      expect(error).to.include({ sent: false, untrusted: true, tlsCode: "certificate-not-trusted" });
      expect(error.message).to.contain("set it as `ironic:caCertificate`");
    });

    it("trusts everybody when told to", async () => {
      expect((await ask(`https://127.0.0.1:${await serve()}/x`, { insecure: true })).status).to.equal(200);
    });

    it("shows its own certificate where one is asked for", async () => {
      const url = `https://127.0.0.1:${await serve(true)}/x`;
      const own = { caCertificate: made.ca, clientCertificate: made.cert, clientKey: made.key };
      expect((await ask(url, own, "PUT")).text).to.equal("PUT /x");
      await transport.close();
      expect((await fails(url, { caCertificate: made.ca })).message).to.match(/client certificate|reset|closed/);
    });

    it("tunnels through a proxy with the same certificates", async () => {
      const port = await serve(true);
      const proxy = createHttp();
      proxy.on("connect", (_request, socket, head) => {
        const onward = connect(port, "127.0.0.1", () => {
          socket.write("HTTP/1.1 200 OK\r\n\r\n");
          onward.write(head);
          onward.pipe(socket).pipe(onward);
        });
        onward.on("error", () => socket.destroy());
        socket.on("error", () => onward.destroy());
      });
      const https = `http://127.0.0.1:${await start(proxy)}`;
      const own = { caCertificate: made.ca, clientCertificate: made.cert, clientKey: made.key };
      const reply = await ask(`https://127.0.0.1:${port}/x`, { ...own, proxy: { https, secrets: [] } });
      expect(reply.text).to.equal("GET /x");
    });

    it("notices that a port does not speak TLS", async () => {
      const error = await fails(`https://127.0.0.1:${await start(createHttp(hello))}/`, {});
      expect(error.message).to.match(/does not speak TLS|EPROTO|WRONG_VERSION/);
      expect(error).to.include({ sent: false, untrusted: true });
    });
  });
});
