/** What is read of Keystone's answers: https://docs.openstack.org/api-ref/identity/v3/ */
import type * as z from "zod";
import { field } from "./shape.ts";

const text = field.textOrNull.optional();

const endpointSchema = field.object({ interface: text, region: text, region_id: text, url: text });
const serviceSchema = field.object({ type: text, name: text, endpoints: field.list(endpointSchema).optional() });

export type Endpoint = z.infer<typeof endpointSchema>;
export type Service = z.infer<typeof serviceSchema>;

const named = field.objectOrNull({ id: text, name: text }).optional();

/** The body of `POST /v3/auth/tokens`; the token itself is in a header. Without a scope there is no catalogue. */
export const loginSchema = field.object({
  token: field.object({
    expires_at: text,
    issued_at: text,
    catalog: field.list(serviceSchema).optional(),
    user: named,
    project: named,
    domain: named,
    system: field.objectOrNull({}).optional(),
    "OS-TRUST:trust": named,
  }),
});
export type Login = z.infer<typeof loginSchema>;

const versionSchema = field.object({
  id: text,
  links: field.list(field.object({ rel: text, href: text })).optional(),
});
export type VersionDocument = z.infer<typeof versionSchema>;

/** The two forms of Keystone's version discovery: of the root, and of one version. */
export const rootSchema = field.object({ versions: field.object({ values: field.list(versionSchema) }) });
/** As services other than Keystone write it. */
export const flatRootSchema = field.object({ versions: field.list(versionSchema) });
export const oneVersionSchema = field.object({ version: versionSchema });
