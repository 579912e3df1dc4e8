import { BlockList, isIP } from "node:net";

/** Proxies as HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name them; lower case wins, as with curl. */
export interface Proxies {
  http?: string;
  https?: string;
  /** Hosts, domains, addresses and networks that are reached directly. */
  none?: string;
  /** Passwords in the addresses. */
  secrets: string[];
}

const addressOf = (text: string | undefined): string | undefined => {
  if (!text) return undefined;
  const address = text.includes("://") ? text : `http://${text}`;
  return URL.canParse(address) ? address : undefined;
};

export const proxiesOf = (env: NodeJS.ProcessEnv): Proxies => {
  const variable = (name: string): string | undefined => env[name.toLowerCase()] || env[name] || undefined;
  const all = addressOf(variable("ALL_PROXY"));
  const http = addressOf(variable("HTTP_PROXY")) ?? all;
  const https = addressOf(variable("HTTPS_PROXY")) ?? all;
  const none = variable("NO_PROXY");
  const secrets = [http, https].flatMap((address) => {
    const password = address ? new URL(address).password : "";
    return password === "" ? [] : [decodeURIComponent(password)];
  });
  return { secrets, ...(http ? { http } : {}), ...(https ? { https } : {}), ...(none ? { none } : {}) };
};

const networks = (none: string): BlockList => {
  const list = new BlockList();
  for (const entry of none.split(/[,\s]+/)) {
    const [address, bits] = entry.split("/");
    if (address === undefined || bits === undefined || !/^\d+$/.test(bits)) continue;
    const version = isIP(address);
    if (version !== 0 && Number(bits) <= (version === 4 ? 32 : 128)) {
      list.addSubnet(address, Number(bits), version === 4 ? "ipv4" : "ipv6");
    }
  }
  return list;
};

/** True if NO_PROXY has a network (10.0.0.0/8) with this host in it: the agent itself knows names and addresses only. */
export const isInNoProxyNetwork = (hostname: string, none: string | undefined): boolean => {
  if (none === undefined || !none.includes("/")) return false;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const version = isIP(host);
  return version !== 0 && networks(none).check(host, version === 4 ? "ipv4" : "ipv6");
};
