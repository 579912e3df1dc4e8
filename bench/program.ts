// The program of the benchmark: BENCH_NODES names the nodes, BENCH_FULL adds settings and a config drive to each.
import * as ironic from "pulumi-ironic";

const { BENCH_NODES = "", BENCH_FULL = "", BENCH_KERNEL = "", BENCH_RAMDISK = "" } = process.env;

for (const node of BENCH_NODES.split(",").filter(Boolean)) {
  const deployment = { kernel: BENCH_KERNEL, ramdisk: BENCH_RAMDISK, kernelArguments: "console=ttyS0" };
  if (BENCH_FULL === "") {
    new ironic.RamdiskDeployment(node, { node, ...deployment });
    continue;
  }
  const config = new ironic.BaremetalNodeConfig(node, { node, bootInterface: "ipxe", automatedCleaning: false });
  const drive = new ironic.ConfigDrive(node, {
    node: config.node,
    metaData: { hostname: node },
    network: { interfaces: [{ addresses: ["192.0.2.10/24"] }] },
  });
  new ironic.RamdiskDeployment(node, { node: config.node, ...deployment, configDrive: drive.content });
}
