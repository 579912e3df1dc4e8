import { expect } from "chai";
import { redact, secretsOfBody } from "../../provider/core/redact.ts";

describe("redact", () => {
  it("removes a secret in every form in which servers repeat it", () => {
    const secret = 'p"ä s\n1';
    for (const form of [
      secret,
      JSON.stringify(secret),
      encodeURIComponent(secret),
      btoa(unescape(encodeURIComponent(secret))),
    ]) {
      expect(redact(`before ${form} after`, [secret])).to.match(/^before "?\[secret\]"? after$/);
    }
  });

  it("removes the longest first and leaves short words alone", () => {
    expect(redact("token-long token", ["token", "token-long"])).to.equal("[secret] [secret]");
    expect(redact("a b c", ["a"])).to.equal("a b c");
  });

  it("finds what must not come back from a request", () => {
    const body = {
      target: "active",
      configdrive: { meta_data: { name: "worker-1" }, user_data: "#cloud-config\npassword: hunter22\n" },
    };
    const found = secretsOfBody(body);
    expect(found).to.include.members(["worker-1", "password: hunter22"]).and.not.include("active");
    const echoed = "Schema error: {'user_data': '#cloud-config\\npassword: hunter22\\n'} is not valid";
    expect(redact(echoed, found)).to.not.contain("hunter22");
  });

  it("knows the path of a JSON patch", () => {
    const patch = [
      { op: "add", path: "/driver_info/redfish_password", value: "hunter22" },
      { op: "add", path: "/driver_info/redfish_address", value: "https://bmc" },
    ];
    expect(secretsOfBody(patch)).to.deep.equal(["hunter22"]);
  });
});
