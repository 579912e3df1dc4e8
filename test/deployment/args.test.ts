import { expect } from "chai";
import { bootArgumentsOf, parseDeployment, undeployTimeoutSeconds } from "../../provider/deployment/args.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import { deploymentBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";

const BASE = { node: "worker-1", ...deploymentBy("stack-1", "worker") };
const ISO = { bootIso: "http://images/a.iso" };
const KERNEL = { kernel: "http://images/a.kernel" };
const RAMDISK = { ramdisk: "http://images/a.initramfs" };

/** Path and code of each failure. */
const failures = (args: object): string[] => {
  const parsed = parseDeployment({ ...BASE, ...args });
  return parsed.kind === "failed" ? parsed.failures.map(({ path, code }) => `${path} ${code}`) : [];
};

const CASES: readonly [what: string, args: object, ...failures: string[]][] = [
  ["kernel and ramdisk", { ...KERNEL, ...RAMDISK }],
  ["an ISO image", ISO],
  ["nothing to boot", {}, " argument-missing"],
  ["a kernel without a ramdisk", KERNEL, "ramdisk argument-missing"],
  ["a ramdisk without a kernel", RAMDISK, "kernel argument-missing"],
  ["an ISO image and a kernel", { ...ISO, ...KERNEL }, "bootIso argument-conflict"],
  ["an ISO image and a ramdisk", { ...ISO, ...RAMDISK }, "bootIso argument-conflict"],
  ["an ISO image and a ramdisk that is not known yet", { ...ISO, ramdisk: UNKNOWN }, "bootIso argument-conflict"],
  ["a kernel and a ramdisk that are not known yet", { kernel: UNKNOWN, ramdisk: UNKNOWN }],
  ["a mask in an image's address", { bootIso: "http://images/a.iso?token=******" }, "bootIso argument-masked"],
  ["no probe in readiness", { ...ISO, readiness: {} }, "readiness argument-missing"],
  ["two probes", { ...ISO, readiness: { tcp: "h:1", http: "http://h" } }, "readiness argument-conflict"],
  [
    "a status without a request",
    { ...ISO, readiness: { tcp: "h:1", status: 200 } },
    "readiness.status argument-no-effect",
  ],
  ["a status with a request", { ...ISO, readiness: { http: "http://h", status: 204 } }],
  ["a readiness that is not known yet", { ...ISO, readiness: UNKNOWN }],
  ["a config drive in no form of Ironic's", { ...ISO, configDrive: "text" }, "configDrive config-drive-form-invalid"],
  ["a config drive that is not known yet", { ...ISO, configDrive: UNKNOWN }],
  ["adopt and allocation", { ...ISO, adopt: "unclaimed", allocation: OTHER_INSTANCE }, "adopt argument-conflict"],
  [
    "several faults, all of which are told",
    { kernel: "http://h/******", configDrive: { files: {} }, adopt: "unclaimed", allocation: UNKNOWN },
    "ramdisk argument-missing",
    "kernel argument-masked",
    "configDrive config-drive-form-invalid",
    "adopt argument-conflict",
  ],
];

describe("the rules of a RamdiskDeployment's arguments", () => {
  for (const [what, args, ...expected] of CASES)
    it(`${expected.length > 0 ? "refuse" : "take"} ${what}`, () => expect(failures(args)).to.deep.equal(expected));

  it("say what instance_info boots, by the names of the arguments", () => {
    const info = { ramdisk: "r", ramdisk_kernel_arguments: "quiet", image_source: "r" };
    expect(bootArgumentsOf(info)).to.deep.equal({
      kernel: undefined,
      ramdisk: "r",
      bootIso: undefined,
      kernelArguments: "quiet",
    });
  });

  it("give an undeployment the time of a cleaning unless the node surely does not clean", () => {
    for (const [asked, automatedClean, seconds] of [
      [undefined, true, 10_800],
      [undefined, null, 10_800],
      [undefined, undefined, 10_800],
      [undefined, false, 300],
      [7, true, 7],
      [7, false, 7],
    ] as const)
      expect(undeployTimeoutSeconds(asked, automatedClean), `${asked} ${automatedClean}`).to.equal(seconds);
  });
});
