// What the engine makes of the file for `pulumi import -f`. It reads the file alone: no Ironic is needed.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { importFile } from "../../provider/commands/import-file.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { fakeCall } from "../fakes/call.ts";
import { A } from "../fakes/deployments.ts";
import { world } from "../fakes/world.ts";
import { Stack } from "./pulumi-stack.ts";

describe("the file for pulumi import (engine)", () => {
  it("puts the config drive into the state encrypted", async () => {
    const w = world(deploymentHandler, { node: { provision_state: "active", instance_info: { ...A } } });
    const configDrive = JSON.stringify({ user_data: "hunter2hunter2" });
    const args = { name: "w", stackId: "s", node: "worker-1", adopt: "unclaimed", configDrive, ...A };
    const file = await w.clock.run(importFile(args, w.services, fakeCall()));
    const stack = await Stack.init();
    try {
      writeFileSync(join(stack.folder, "import.json"), JSON.stringify(file), { mode: 0o600 });
      const flags = ["--yes", "--skip-preview", "--protect=false", "--generate-code=false"];
      await stack.ok("import", "--file", "import.json", ...flags);
      const state = await stack.export();
      const { inputs, outputs } = await stack.stateOf("RamdiskDeployment", "w");
      for (const value of [inputs.configDrive, outputs.configDrive, outputs.driveHash])
        expect(value).to.include.keys("ciphertext");
      expect(state + stack.transcript).not.to.contain("hunter2");
      const { stdout } = await stack.start("stack", "export", "--show-secrets").done;
      const resources: { urn: string; inputs: { configDrive: { plaintext: string } } }[] =
        JSON.parse(stdout).deployment.resources;
      const imported = resources.find(({ urn }) => urn === stack.urn("RamdiskDeployment", "w"));
      expect(JSON.parse(imported?.inputs.configDrive.plaintext ?? "")).to.equal(configDrive);
    } finally {
      stack.remove();
    }
  });
});
