import { expect } from "chai";
import nock from "nock";
import type { Client } from "../../provider/http/client.ts";
import { anything, fault, rejection } from "../fakes/http-server.ts";
import { answerOf, greet, origin, withMockedClient } from "./answers.ts";

describe("errors of the client", () => {
  let client: Client;
  withMockedClient((made) => {
    client = made;
  });

  it("never repeats a config drive in an error", async () => {
    greet();
    const body = { target: "active", configdrive: { user_data: "#cloud-config\npassword: hunter22" } };
    nock(origin)
      .put("/v1/x")
      .reply(400, fault(`Schema error: ${JSON.stringify(body)} is not valid`));
    expect(
      (await rejection(client.send("PUT", "/x", { shape: anything, operation: "deploy", body }))).message,
    ).to.not.contain("hunter22");
  });

  const marker = { stackId: "0c6d39bc", stackName: "organization/shop/production", note: 'it\'s "ours" {' };
  const patch = [
    { op: "add", path: "/extra/pulumi_ironic", value: marker },
    { op: "add", path: "/instance_info/ramdisk_kernel_arguments", value: "console=ttyS0 join=K1a9-Zq77" },
    { op: "add", path: "/driver_info/redfish_password", value: "hunter22" },
  ];
  const python = (value: unknown): string => JSON.stringify(value).replaceAll("'", "\\'").replaceAll('"', "'");
  for (const [what, text, shown] of [
    ["one operation", `Couldn't apply patch '${python(patch[0])}'. Reason: can't add`, "'{…}'. Reason: can't add"],
    ["all of it", `Couldn't apply patch '${JSON.stringify(patch)}'. Reason: no`, "'[…]'. Reason: no"],
    ["a long one", `Couldn't apply patch '${python({ ...marker, x: "y".repeat(9000) })}'. Reason: no`, "Reason: no"],
    ["the node", `Couldn't apply patch '{}'. Reason: member 'x' not found in ${python({ a: patch })}`, "found in {…}"],
    ["a record", `Schema error for patch: ${python(patch)} is too long`, "Schema error for patch: […] is too long"],
    ["a value", `Schema error for extra: '${patch[1]?.value}' is not of type 'object'`, "'[secret]' is not of type"],
    ["part of a marker", `Schema error: '${marker.stackName}' is too long`, "'[secret]' is too long"],
  ] as const)
    it(`says why a patch is refused, and not what is in it, where Ironic repeats ${what}`, async () => {
      greet();
      nock(origin).patch("/v1/nodes/n").reply(400, fault(text));
      const call = client.send("PATCH", "/nodes/n", { shape: anything, operation: "claim", body: patch });
      const { message } = await answerOf(call);
      expect(message).to.contain(shown);
      for (const word of ["shop", "0c6d39bc", "ours", "K1a9", "hunter22", "yyyy"]) expect(message).not.to.contain(word);
    });

  it("finds a secret that stands where a long text is cut", async () => {
    greet();
    const body = { configdrive: { user_data: "a-secret-of-some-length" } };
    nock(origin)
      .put("/v1/x")
      .reply(400, fault(`${"x".repeat(790)}a-secret-of-some-length`));
    const { message } = await answerOf(client.send("PUT", "/x", { shape: anything, operation: "deploy", body }));
    expect(message).not.to.contain("a-secret");
  });
});
