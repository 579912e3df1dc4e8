/** A Keystone and what its catalogue has. */
import type { Service } from "../../provider/http/keystone.ts";

export const keystone = "https://keystone.example.org:5000";
export const ironic = "https://ironic.example.org";

export const catalogue: Service[] = [
  {
    type: "baremetal",
    endpoints: [
      { interface: "public", region: "north", region_id: "north", url: `${ironic}/baremetal` },
      { interface: "internal", region: "north", region_id: "north", url: "http://10.0.0.5:6385" },
      { interface: "public", region: "south", region_id: "south", url: "https://south.example.org" },
    ],
  },
];
