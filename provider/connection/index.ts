/** Where Ironic is and how to log in: plain data, nothing is sent. */
export { formatMinor, parseMinor } from "./api-version.ts";
export { type ConfigGetter, type Connection, describeEndpoint, resolveConnection, secretsOf } from "./connection.ts";
export { type Auth, type Method, type Named, type Scope, secretsOfAuth } from "./credentials.ts";
export { baseOf, trimSlashes } from "./endpoint.ts";
export { isInNoProxyNetwork, type Proxies } from "./proxies.ts";
export { isSameHost, originOf, otherHostError, unencryptedWarning } from "./recipients.ts";
