import { formatMinor } from "../connection/index.ts";
import { ProblemError } from "../core/index.ts";

/**
 * Minor of API 1.x that a feature needs.
 * Defined in https://docs.openstack.org/ironic/latest/contributor/webapi-version-history.html
 */
export const featureMinors = {
  /** The node's own `fault`. */
  fault: 42,
  /** The node's own `automated_clean`. */
  automatedClean: 47,
  protected: 48,
  owner: 50,
  description: 51,
  allocations: 52,
  /** A config drive sent as JSON; Ironic builds the image. */
  configDriveJson: 56,
  vendorData: 59,
  retired: 61,
  lessee: 65,
  /** `network_data` of the node: the agent's network, not the tenant's. */
  nodeNetworkData: 66,
  /** Ramdisk deploys without `image_source` beside kernel and ramdisk: Ironic 18.1, which has API 1.75. */
  ramdiskWithoutImageSource: 75,
  nodeHistory: 78,
  shards: 82,
  childNodes: 83,
  deployHold: 85,
  service: 87,
  portName: 88,
  /** `abort` in `wait call-back`. */
  abortDeploy: 110,
} as const;

export type Feature = keyof typeof featureMinors;

const featureTitles: Record<Feature, string> = {
  fault: "the node's fault field",
  automatedClean: "automated cleaning per node (`automatedCleaning`)",
  protected: "protected nodes (`protected`)",
  owner: "the node's owner",
  description: "the node's description (`description`)",
  allocations: "allocations (`NodeAllocation`)",
  configDriveJson: "config drives as JSON",
  vendorData: "vendor data in config drives (`vendorData`)",
  retired: "retired nodes",
  lessee: "the node's lessee",
  nodeNetworkData: "the node's network data",
  ramdiskWithoutImageSource: "ramdisk deploys without image_source",
  nodeHistory: "the node's history",
  shards: "shards",
  childNodes: "nodes with a parent",
  deployHold: "hold steps",
  service: "servicing",
  portName: "names of ports",
  abortDeploy: "aborting a deploy that waits for a call-back",
};

const featureAdvice: Partial<Record<Feature, string>> = {
  automatedClean:
    "Remove `automatedCleaning` (a conductor can be configured to erase only metadata, which is faster), or upgrade Ironic to 12.0 (API 1.47) or newer.",
  configDriveJson: 'Use `format: "iso"` for the config drive, or upgrade Ironic to 12.1 (API 1.56) or newer.',
};

/**
 * Below this nothing works: the `ramdisk` deploy interface came with Ironic 11.1 (Rocky), which has 1.46
 * (https://docs.openstack.org/ironic/latest/admin/ramdisk-boot.html).
 */
const floorMinor = 46;

/** Newest minor this program was tried with (Ironic 39.0). On newer servers this one is used. */
const newestMinor = 115;

export interface VersionRange {
  minMinor: number;
  maxMinor: number;
}

export const featureTitle = (feature: Feature): string => featureTitles[feature];

/** What to do when `feature` is missing. */
export const featureAdviceFor = (feature: Feature): string =>
  featureAdvice[feature] ??
  `Upgrade Ironic to one that supports API ${formatMinor(featureMinors[feature])}, or remove this.`;

/** The server can be reached, but offers no API version that can be used. */
export class UnusableVersion extends ProblemError {}

/** The minor to use with a server that offers `range`; `pinned` is `ironic:apiVersion`. Throws UnusableVersion. */
export const chooseMinor = (range: VersionRange, pinned: number | undefined, endpoint: string): number => {
  const offered = `${formatMinor(range.minMinor)} to ${formatMinor(range.maxMinor)}`;
  if (range.maxMinor < floorMinor) {
    throw new UnusableVersion({
      code: "api-version-unusable",
      problem: `Ironic at ${endpoint} offers API ${offered}; ramdisk deployments need at least ${formatMinor(floorMinor)}`,
      advice: "Use Ironic 11.1 or newer.",
    });
  }
  if (pinned !== undefined && (pinned < Math.max(range.minMinor, floorMinor) || pinned > range.maxMinor)) {
    throw new UnusableVersion({
      code: "api-version-unusable",
      problem: `API ${formatMinor(pinned)} is requested (ironic:apiVersion or baremetal_api_version), but Ironic at ${endpoint} offers ${offered}, of which ${formatMinor(floorMinor)} and newer are usable`,
      advice: "Set a version in that range, or remove it to use the newest that both sides support.",
    });
  }
  if (range.minMinor > newestMinor) {
    throw new UnusableVersion({
      code: "api-version-unusable",
      problem: `Ironic at ${endpoint} offers API ${offered}; this version of pulumi-ironic supports up to ${formatMinor(newestMinor)}`,
      advice: "Upgrade pulumi-ironic.",
    });
  }
  return pinned ?? Math.min(range.maxMinor, newestMinor);
};
