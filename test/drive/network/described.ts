/** What the tests of network data begin with. */
import { type NetworkArgs, type Port, type PortGroup, toNetworkData } from "../../../provider/drive/network/network.ts";
import { describeFailure, InvalidInput } from "../../../provider/schema/index.ts";

const port = (number: number, more: Partial<Port> = {}): Port => ({
  uuid: `0000000${number}-0000-4000-8000-000000000000`,
  address: `52:54:00:00:00:0${number}`,
  pxe_enabled: false,
  ...more,
});
export const ports = [
  port(0),
  port(1, { pxe_enabled: true }),
  port(2, { name: "left", physical_network: "lan" }),
  port(3, { physical_network: "lan" }),
];
export const build = (network: NetworkArgs, on: Port[] = ports, groups: PortGroup[] = []) =>
  toNetworkData(network, on, groups);

/** The refusals of a description, each as one line. */
export function refusals(network: unknown, on: Port[] = ports, groups: PortGroup[] = []): string[] {
  try {
    toNetworkData(network as NetworkArgs, on, groups);
    return [];
  } catch (error) {
    if (error instanceof InvalidInput) return error.failures.map(describeFailure);
    throw error;
  }
}
