import { expect } from "chai";
import { isInNoProxyNetwork, proxiesOf } from "../../provider/connection/proxies.ts";

describe("proxies", () => {
  const ROWS: readonly [env: NodeJS.ProcessEnv, proxies: ReturnType<typeof proxiesOf>][] = [
    [{}, { secrets: [] }],
    [
      { HTTP_PROXY: "http://upper", http_proxy: "http://lower" },
      { http: "http://lower", secrets: [] },
    ],
    [
      { HTTP_PROXY: "http://upper", http_proxy: "" },
      { http: "http://upper", secrets: [] },
    ],
    [{ ALL_PROXY: "proxy:1" }, { http: "http://proxy:1", https: "http://proxy:1", secrets: [] }],
    [
      { all_proxy: "proxy:1", HTTPS_PROXY: "proxy:2" },
      { http: "http://proxy:1", https: "http://proxy:2", secrets: [] },
    ],
    [
      { HTTP_PROXY: "http://a b", NO_PROXY: "x" },
      { none: "x", secrets: [] },
    ],
    [{ HTTPS_PROXY: "http://u:p%40ss@proxy" }, { https: "http://u:p%40ss@proxy", secrets: ["p@ss"] }],
  ];
  for (const [env, proxies] of ROWS)
    it(`are read of ${JSON.stringify(env)}`, () => expect(proxiesOf(env)).to.deep.equal(proxies));

  const NETWORKS: readonly [host: string, none: string | undefined, direct: boolean][] = [
    ["10.1.2.3", "10.0.0.0/8", true],
    ["11.1.2.3", "10.0.0.0/8", false],
    ["10.1.2.3", "x, 192.0.2.0/24 10.0.0.0/8", true],
    ["[2001:db8::5]", "2001:db8::/32", true],
    ["[2001:db9::5]", "2001:db8::/32", false],
    ["ironic", "10.0.0.0/8", false],
    ["10.1.2.3", "10.1.2.3", false],
    ["10.1.2.3", "10.0.0.0/64", false],
    ["10.1.2.3", "10.0.0.0/x", false],
    ["10.1.2.3", undefined, false],
  ];
  for (const [host, none, direct] of NETWORKS)
    it(`${direct ? "are not used" : "are left to the names"} for ${host} with NO_PROXY=${none}`, () =>
      expect(isInNoProxyNetwork(host, none)).to.equal(direct));
});
