// TLS in front of a plain loopback server.
import { readFileSync } from "node:fs";
import { connect, type Server } from "node:net";
import { createServer } from "node:tls";
import type { Orders } from "./child.ts";

/** Ends TLS and passes the bytes on; may ask for a client certificate of the lab's own authority. */
export function tlsServer(orders: Orders): Server {
  const { tls } = orders;
  if (tls === undefined) throw new Error("no TLS orders");
  const { clientCertificate, target } = tls;
  const server = createServer(
    {
      cert: readFileSync(tls.cert),
      key: readFileSync(tls.key),
      ca: readFileSync(tls.ca),
      requestCert: clientCertificate,
      rejectUnauthorized: clientCertificate,
      ALPNProtocols: ["http/1.1"],
    },
    (secure) => {
      const plain = connect(target, "127.0.0.1");
      plain.pipe(secure).pipe(plain);
      plain.on("error", () => secure.destroy());
      secure.on("error", () => plain.destroy());
      plain.on("close", () => secure.destroy());
      secure.on("close", () => plain.destroy());
    },
  );
  server.on("tlsClientError", () => {}); // a client that does not trust us is not our failure
  return server;
}
