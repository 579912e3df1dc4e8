import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import { OURS } from "../fakes/deployments.ts";
import { deploymentMarkBy } from "../fakes/identities.ts";
import { ANY, runs, settled } from "./preflight-cases.ts";

describe("preflight: cleaning", () => {
  const agent = { driver_info: { deploy_kernel: "http://k", deploy_ramdisk: "http://r" } };
  const cleans = { automated_clean: true, ...agent };
  const still =
    /^Node worker-1: is cleaned after use\. Cleaning makes destroy slow .*Set automatedCleaning of a BaremetalNodeConfig /;
  runs([
    { title: "still on is said", node: cleans, warned: [still] },
    {
      title: "still on is said where the program's settings leave it",
      node: cleans,
      planned: settled,
      warned: [still],
    },
    {
      title: "by default it depends on the conductor",
      node: { ...cleans, automated_clean: null },
      warned: [
        /^Node worker-1: is cleaned after use, unless the conductor's configuration turns it off\. Cleaning makes/,
      ],
    },
    {
      title: "is no error even where all else is",
      node: cleans,
      options: { ...ANY, settings: { preflight: "enforce" } },
      warned: [still],
    },
    {
      title: "what was adopted before is kept",
      node: {
        ...cleans,
        extra: {
          [DEPLOYMENT_MARKER]: {
            ...deploymentMarkBy("stack-1", "worker"),
            instanceUuid: OURS,
            preparedAt: null,
            keep: true,
          },
        },
        provision_state: "active",
        instance_uuid: OURS,
      },
      olds: { ramdisk: "file:///former" },
    },
    { title: "off is off", node: { ...cleans, automated_clean: false } },
    { title: "an old Ironic shows nothing", node: cleans, options: { client: { driver: {}, minor: 46 } } },
    ...[true, false].map((automatedCleaning) => ({
      title: `${automatedCleaning} in the program is meant`,
      node: cleans,
      planned: { automatedCleaning },
    })),
    { title: "what the program says may not be known yet", node: cleans, planned: { uncertain: true } },
    { title: "what is kept is not cleaned", node: cleans, inputs: { onDestroy: "keep" } },
    {
      title: "what is adopted is kept",
      node: { ...cleans, provision_state: "active" },
      inputs: { adopt: "unclaimed" },
    },
    {
      title: "that it cannot work says enough",
      node: { automated_clean: null },
      warned: [
        /^Node worker-1: is cleaned after use and boots with ipxe, so Ironic also needs deploy_kernel and deploy_ramdisk /,
      ],
    },
    {
      title: "it cannot work though it is meant",
      node: { automated_clean: null, driver_info: { deploy_kernel: "http://k" } },
      planned: { automatedCleaning: true },
      warned: [/so Ironic also needs deploy_ramdisk in driver_info/],
    },
    {
      title: "virtual media needs no such files of the node",
      node: { boot_interface: "redfish-virtual-media", automated_clean: true },
      planned: { automatedCleaning: true },
    },
  ]);
});
