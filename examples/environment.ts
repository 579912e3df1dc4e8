// An environment described by the stack's configuration alone: see the `config:` schema in Pulumi.yaml.
import * as pulumi from "@pulumi/pulumi";
import * as ironic from "pulumi-ironic";

interface Machine {
  node: string;
  hostname?: string;
  /** Static addresses with prefix length; without any the drive has no network. */
  addresses?: string[];
  gateway?: string;
  dns?: string[];
  kernelArguments?: string;
}

const config = new pulumi.Config();
const optional = (key: string): string | undefined => config.get(key) || undefined;
const userData = config.getSecret("userData")?.apply((text) => text || undefined);

const deploy = ({ node, hostname = node, ...machine }: Machine): ironic.RamdiskDeployment => {
  const settings = new ironic.BaremetalNodeConfig(node, {
    node,
    bootInterface: optional("bootInterface"),
    automatedCleaning: config.getBoolean("automatedCleaning") ?? false,
  });
  const drive = new ironic.ConfigDrive(node, {
    node: settings.node,
    metaData: { hostname, publicKeys: config.getObject<string[]>("sshKeys") ?? [] },
    ...(machine.addresses && {
      network: { interfaces: [{ addresses: machine.addresses, gateway: machine.gateway, dns: machine.dns }] },
    }),
    userData,
  });
  return new ironic.RamdiskDeployment(node, {
    node: settings.node,
    kernel: optional("kernel"),
    ramdisk: optional("ramdisk"),
    bootIso: optional("bootIso"),
    kernelArguments: machine.kernelArguments ?? optional("kernelArguments"),
    configDrive: drive.content,
  });
};

const deployments = (config.getObject<Machine[]>("machines") ?? []).map(deploy);

export const machines = pulumi.all(
  deployments.map(({ node, nodeUuid, provisionState }) => pulumi.all({ node, nodeUuid, provisionState })),
);
