/** Where a login goes: the version document of Keystone names paths, never another server. */
import { expect } from "chai";
import { logIn } from "../../provider/http/keystone.ts";
import type { Exchange, Transport } from "../../provider/http/transport.ts";

const origin = "https://keystone.example.org:5000";

/** The addresses that a login at `authUrl` sends to, where the version document has `href`. */
const sentTo = async (authUrl: string, href: string): Promise<string[]> => {
  const sent: Exchange[] = [];
  const text = JSON.stringify({ versions: { values: [{ id: "v3.14", links: [{ rel: "self", href }] }] } });
  const transport: Transport = {
    exchange: async (request) => {
      sent.push(request);
      return request.method === "GET"
        ? { status: 300, headers: {}, text }
        : { status: 201, headers: { "x-subject-token": "t" }, text: '{"token":{}}' };
    },
    close: async () => {},
  };
  const auth = {
    kind: "keystone",
    authUrl,
    methods: [{ name: "password", user: { id: "u" }, password: "hunter22" }],
    scope: { kind: "unscoped" },
  } as const;
  await logIn({ auth: { ...auth, methods: [...auth.methods] }, transport, secrets: ["hunter22"] });
  return sent.map(({ method, url }) => `${method} ${url.href}`);
};

describe("the address of a login", () => {
  const ROWS: readonly [asked: string, href: string, path: string][] = [
    ["", "http://keystone.example.org:5000/v3/", "/v3"],
    ["", "https://keystone.example.org/v3", "/v3"],
    ["", "https://keystone.example.org:5001/v3", "/v3"],
    ["", "http://evil.example.org/v3", "/v3"],
    ["", "//evil.example.org/v3", "/v3"],
    ["", `${origin}/identity/v3/`, "/identity/v3"],
    ["", "http://10.0.0.5:5000/identity/v3/", "/v3"],
    ["/identity", "http://keystone.example.org:5000/v3", "/identity/v3"],
    ["/identity", "http://10.0.0.5:5000/v3/", "/identity/v3"],
    ["/identity", "http://keystone.example.org:5000/identity/v3", "/identity/v3"],
    ["/identity", "v3/", "/identity/v3"],
    ["/identity", "/v3/", "/identity/v3"],
    ["/identity", "javascript:alert(1)/v3", "/identity/v3"],
    ["/identity", "http://", "/identity/v3"],
    ["/identity", "http://evil.example.org", "/identity/v3"],
  ];
  for (const [asked, href, path] of ROWS)
    it(`keeps scheme, host and port that were asked, where ${origin}${asked} names ${href}`, async () => {
      expect(await sentTo(`${origin}${asked}`, href)).to.deep.equal([
        `GET ${origin}${asked}/`,
        `POST ${origin}${path}/auth/tokens`,
      ]);
    });
});
