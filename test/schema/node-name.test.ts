import { expect } from "chai";
import { CONFIG_DRIVE_ARGUMENTS } from "../../provider/config-drive/arguments.ts";
import { DEPLOYMENT_ARGUMENTS } from "../../provider/deployment/arguments.ts";
import { NODE_CONFIG_ARGUMENTS } from "../../provider/node-config/arguments.ts";

const TABLES = {
  BaremetalNodeConfig: NODE_CONFIG_ARGUMENTS,
  ConfigDrive: CONFIG_DRIVE_ARGUMENTS,
  RamdiskDeployment: DEPLOYMENT_ARGUMENTS,
};

describe("the name of a node", () => {
  for (const [resource, { node }] of Object.entries(TABLES)) {
    for (const name of ["..", ".", "", " ", "a/b", "a?b", "a#b", "a b", "\ud800"])
      it(`of a ${resource} is refused where no address can hold it: ${JSON.stringify(name)}`, () =>
        expect(node.schema.safeParse(name).success).to.equal(false));
    for (const name of ["worker-1", "...", "a..b", ".a", "rack_1~2", "0c6d39bc-0000-4000-8000-000000000000"])
      it(`of a ${resource} may be ${name}`, () => expect(node.schema.safeParse(name).success).to.equal(true));
  }
});
