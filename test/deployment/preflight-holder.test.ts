import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import { foreign, OURS } from "../fakes/deployments.ts";
import { deploymentBy, deploymentMarkBy, settingsMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { runs } from "./preflight-cases.ts";

const ADOPTED = "cccccccc-0000-4000-8000-000000000003";

describe("preflight: whose node it is", () => {
  const own = { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: OURS, preparedAt: null };
  const marked = (marker: object) => ({ extra: { [DEPLOYMENT_MARKER]: marker } });
  const settings = (stackId: string) => ({ extra: { [CONFIG_MARKER]: settingsMarkBy(stackId, "settings") } });
  const active = { provision_state: "active" };
  const byInstance = [new RegExp(`^node: is held by instance ${OTHER_INSTANCE}$`)];
  const byDeployment = [/^node: is held by deployment "theirs" of stack stack-2$/];
  const bySettings = [/^node: is held by BaremetalNodeConfig "settings" of stack stack-2$/];
  const exists = { kernel: "file:///b.kernel" };
  runs([
    { title: "a new one takes what is free", node: settings("stack-1") },
    { title: "a new one goes on with its own claim", node: { instance_uuid: OURS, ...marked(own) } },
    { title: "a new one sees an instance", node: { instance_uuid: OTHER_INSTANCE }, rejected: byInstance },
    { title: "a new one sees a deployment", node: marked(foreign), rejected: byDeployment },
    { title: "a new one sees settings", node: settings("stack-2"), rejected: bySettings },
    {
      title: "a new one sees settings, though the stack's identity is not known yet",
      node: settings("stack-2"),
      inputs: { stackId: UNKNOWN },
      rejected: bySettings,
    },
    { title: "one that is there has its node", node: { ...active, instance_uuid: OURS, ...marked(own) }, olds: exists },
    {
      title: "one that is there sees an instance",
      node: { ...active, instance_uuid: OTHER_INSTANCE, ...marked(own) },
      olds: exists,
      rejected: byInstance,
    },
    {
      title: "one that is there sees a deployment",
      node: { ...active, ...marked(foreign) },
      olds: exists,
      rejected: byDeployment,
    },
    {
      title: "one that is there sees settings",
      node: { ...active, ...settings("stack-2") },
      olds: exists,
      rejected: bySettings,
    },
    {
      title: "one that is there and was adopted sees an instance",
      node: { ...active, instance_uuid: OTHER_INSTANCE, ...marked({ ...own, instanceUuid: ADOPTED }) },
      inputs: { adopt: ADOPTED },
      olds: exists,
      rejected: byInstance,
    },
    {
      title: "one that is there under another name, or adopted, has its node",
      node: {
        ...active,
        instance_uuid: ADOPTED,
        ...marked({ ...own, ...deploymentBy("stack-1", "former"), instanceUuid: ADOPTED }),
      },
      olds: exists,
    },
    {
      title: "one that moves sees an instance where it goes",
      node: { instance_uuid: OTHER_INSTANCE },
      olds: { node: "worker-0" },
      rejected: byInstance,
    },
    {
      title: "one whose node is spelled anew has it",
      node: { ...active, instance_uuid: ADOPTED, ...marked({ ...own, instanceUuid: ADOPTED }) },
      olds: { node: "worker-0" },
    },
    {
      title: "without its marker nobody can tell before the update",
      node: { ...active, instance_uuid: ADOPTED },
      olds: exists,
    },
    {
      title: "nor while the stack's identity is not known",
      node: { ...active, instance_uuid: OURS, ...marked(own) },
      inputs: { stackId: UNKNOWN },
      olds: exists,
    },
    {
      title: "what is adopted is looked at when it is",
      node: { ...active, instance_uuid: OTHER_INSTANCE },
      inputs: { adopt: OTHER_INSTANCE },
    },
    {
      title: "an allocation has it under its own instance_uuid",
      node: { instance_uuid: OTHER_INSTANCE, allocation_uuid: OTHER_INSTANCE },
      inputs: { allocation: OTHER_INSTANCE },
    },
  ]);
});
