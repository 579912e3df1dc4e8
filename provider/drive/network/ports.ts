import { type Failure, joinPath, type Objection } from "../../schema/index.ts";
import { parseMac } from "./address.ts";
import type { Port, PortChoice, PortGroup } from "./args.ts";
import { choicesOf } from "./rules.ts";

/** One entry of the description that stands for one port. */
export interface PortRequest {
  path: string;
  choice: PortChoice;
}

type Found = { port: Port } | Failure;

const macs = (ports: readonly Port[]): string => ports.map(({ address }) => address).join(", ");

/** What the node has, for the end of a refusal. */
const offer = (ports: readonly Port[]): string =>
  ports.length === 0 ? "the node has no ports in Ironic" : `the node's ports are ${macs(ports)}`;

const nameOf = ({ name, uuid }: Port): string => name ?? uuid;

/** How each way of naming a port finds the ports that it can mean. */
const FINDERS: {
  [K in keyof Required<PortChoice>]: (value: NonNullable<PortChoice[K]>, ports: readonly Port[]) => readonly Port[];
} = {
  mac: (mac, ports) => ports.filter(({ address }) => parseMac(address) === parseMac(mac)),
  port: (port, ports) => ports.filter(({ uuid, name }) => uuid.toLowerCase() === port.toLowerCase() || name === port),
  physicalNetwork: (network, ports) => ports.filter(({ physical_network }) => physical_network === network),
  order: (order, ports) => ports.slice(order, order + 1),
  pxe: (_, ports) => ports.filter(({ pxe_enabled }) => pxe_enabled),
};

/** Why a way of naming a port found none. */
const NOT_FOUND: { [K in keyof Required<PortChoice>]: (value: unknown, ports: readonly Port[]) => string } = {
  mac: (mac, ports) => `${mac} is not a port of the node; ${offer(ports)}`,
  port: (_, ports) =>
    ports.length === 0 ? offer(ports) : `the node has no port of this name; there are ${ports.map(nameOf).join(", ")}`,
  physicalNetwork: (_, ports) => {
    const known = [...new Set(ports.flatMap(({ physical_network }) => physical_network ?? []))];
    return `no port of the node is on this physical network; ${known.length ? `the physical networks are ${known.join(", ")}` : "its ports have none in Ironic"}`;
  },
  order: (order, ports) =>
    `there is no port ${order}: the node has ${ports.length} (${macs(ports) || "none"}), counted from 0`,
  pxe: (_, ports) => `no port of the node has pxe_enabled; ${offer(ports)}`,
};

/** The port that `seat` names explicitly: the first such one that is free. */
function explicit(
  seat: PortRequest,
  key: keyof PortChoice,
  ports: readonly Port[],
  taken: ReadonlyMap<string, string>,
): Found {
  const value = seat.choice[key] as never;
  const path = joinPath(seat.path, key);
  const candidates = FINDERS[key](value, ports);
  const port = candidates.find(({ uuid }) => !taken.has(uuid));
  if (port) return { port };
  const first = candidates[0];
  if (!first) return { path, reason: NOT_FOUND[key](value, ports), code: "port-not-found" };
  const used = candidates.map(({ uuid, address }) => `${address} by ${taken.get(uuid)}`).join(", ");
  return { path, reason: `every port that fits is used (${used})`, code: "port-taken" };
}

/**
 * Gives each seat its port. Seats that name a port come first, those with one candidate before those with several;
 * the others take what is left, in Ironic's order. `groups` are port groups whose ports belong to a bond as a whole.
 */
export function assignPorts(
  seats: readonly PortRequest[],
  ports: readonly Port[],
  groups: readonly { path: string; ports: readonly Port[] }[],
): { seated: ReadonlyMap<string, Port>; failures: Failure[] } {
  const seated = new Map<string, Port>();
  const taken = new Map<string, string>();
  const failures: Failure[] = [];
  const settle = (path: string, found: Found): void => {
    if ("reason" in found) {
      failures.push(found);
      return;
    }
    seated.set(path, found.port);
    taken.set(found.port.uuid, path);
  };
  for (const group of groups) {
    for (const port of group.ports) {
      const before = taken.get(port.uuid);
      if (before !== undefined)
        failures.push({ path: group.path, reason: `port ${port.address} is used by ${before}`, code: "port-taken" });
      taken.set(port.uuid, group.path);
    }
  }
  for (const key of ["mac", "port", "order", "pxe", "physicalNetwork"] as const) {
    for (const seat of seats) {
      if (choicesOf(seat.choice)[0] === key) settle(seat.path, explicit(seat, key, ports, taken));
    }
  }
  for (const seat of seats) {
    if (choicesOf(seat.choice).length > 0) continue;
    const port = ports.find(({ uuid }) => !taken.has(uuid));
    const objection: Objection =
      ports.length === 0
        ? { reason: offer(ports), code: "port-not-found" }
        : {
            reason: `no port is left: the node has ${ports.length} (${macs(ports)}), and all are used`,
            code: "port-taken",
          };
    settle(seat.path, port ? { port } : { path: seat.path, ...objection });
  }
  return { seated, failures };
}

/** The port group that `name` (UUID, name or MAC address) stands for, and its ports in Ironic's order. */
export function findPortGroup(
  name: string,
  path: string,
  groups: readonly PortGroup[],
  ports: readonly Port[],
): { group: PortGroup; ports: readonly Port[] } | Failure {
  const mac = parseMac(name);
  const group = groups.find(
    (each) =>
      each.uuid.toLowerCase() === name.toLowerCase() ||
      each.name === name ||
      (mac !== undefined && each.address !== null && each.address !== undefined && parseMac(each.address) === mac),
  );
  if (!group) {
    const there = groups.map((each) => each.name ?? each.uuid).join(", ");
    return {
      path,
      reason: there
        ? `the node has no port group of this name; there are ${there}`
        : "the node has no port groups in Ironic",
      code: "network-bond-invalid",
    };
  }
  const members = ports.filter(({ portgroup_uuid }) => portgroup_uuid === group.uuid);
  return members.length > 0
    ? { group, ports: members }
    : { path, reason: "the port group has no ports in Ironic", code: "network-bond-invalid" };
}
