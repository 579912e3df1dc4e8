// clouds.yaml of a lab, for openstacksdk, the `baremetal` command and the provider.
// https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
import { stringify } from "yaml";
import type { LabRecord } from "./record.ts";

/** The file's text; also fills `record.clouds` with what each cloud is for. */
export function cloudsFor(record: LabRecord): string {
  const { url, basic } = record.door;
  const clouds: Record<string, unknown> = {};
  if (record.shape.auth === "none") {
    clouds.lab = { auth_type: "none", auth: { endpoint: url } };
    record.clouds.lab = "no authentication";
  }
  if (basic !== undefined) {
    clouds.lab = { auth_type: "http_basic", auth: { endpoint: url, ...basic } };
    record.clouds.lab = "http_basic";
  }
  return stringify({ clouds });
}
