/** Requests to Ironic and Keystone. */
export { type CallOptions, type Client, createClient } from "./client.ts";
export { readPages } from "./pages.ts";
export { type Feature, UnusableVersion } from "./versions.ts";
