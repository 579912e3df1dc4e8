import { expect } from "chai";
import { errorsIn, uncodedIn } from "../../chaos/messages.ts";

describe("errors in the engine's output", () => {
  it("are found at their resources", () => {
    const output = [
      "Diagnostics:",
      "  pulumi-nodejs:dynamic/ironic:RamdiskDeployment (node-3):",
      "    warning: only that",
      "    error: it did not work",
      "",
      "  pulumi:pulumi:Stack (chaos-seed-1):",
      "    error: update failed",
    ].join("\n");
    expect(errorsIn(output)).to.deep.equal([
      { resource: "node-3", text: "it did not work" },
      { resource: "chaos-seed-1", text: "update failed" },
    ]);
  });
});

describe("messages without a code in the engine's output", () => {
  it("are found, whether they have one line or one for each failure", () => {
    const output = [
      "  pulumi-nodejs:dynamic/ironic:RamdiskDeployment (node-3):",
      "    warning: it was switched on [node-powered-on]",
      "    error: 1 error occurred:",
      "    \t* it is held [node-held]",
      "    error: The config drive cannot be sent. Correct it:",
      "    image: it is empty [config-drive-empty]",
      "    error: it did not work",
      "",
      "  pulumi:pulumi:Stack (chaos-seed-1):",
      "    error: update failed",
    ].join("\n");
    expect(uncodedIn(output)).to.deep.equal(["it did not work"]);
  });
});
