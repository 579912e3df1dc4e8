/** Requests to Ironic and Keystone. */
export { type Client, createClient, type ReadOptions } from "./client.ts";
export { type Page, pageOf, readPages } from "./pages.ts";
export { type Here, type Place, seesAllNodes } from "./place.ts";
export { field, ignored, type Shape } from "./shape.ts";
export { type Feature, UnusableVersion } from "./versions.ts";
