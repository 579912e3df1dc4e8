import { expect } from "chai";
import {
  addressOf,
  CONFIG_MARKER,
  DEPLOYMENT_MARKER,
  EVIL_ADDRESS,
  LIARS_STACK,
  lies,
  opsOf,
  touchedBy,
  withoutForeignLies,
} from "../../chaos/lies.ts";
import { record } from "../../chaos/values.ts";

const ours = { version: 1, stackId: "us", resourceId: "ironic:X::x", resourceName: "x" };
const node = {
  name: "node-1",
  automated_clean: null,
  provision_updated_at: "now",
  extra: {
    asset: 1,
    [CONFIG_MARKER]: { ...ours, written: { boot_interface: "ipxe" }, previous: { boot_interface: "fake" } },
    [DEPLOYMENT_MARKER]: { ...ours, kind: "deployment", instanceUuid: "i" },
  },
};

describe("a lie of a lessee", () => {
  for (const lie of lies)
    it(`"${lie}" writes below extra alone, and no more than it says`, () => {
      const ops = opsOf(lie, node) ?? [];
      expect(ops).to.not.have.length(0);
      const keys = { settings: CONFIG_MARKER, deployment: DEPLOYMENT_MARKER };
      for (const { path } of ops) expect(path).to.match(/^\/extra\/[a-z_]+$/);
      const touched = ops.map(({ path }) => path.slice("/extra/".length)).filter((key) => key.startsWith("pulumi"));
      expect(touched).to.have.members(touchedBy(lie).map((mark) => keys[mark]));
    });

  it("asks in the stack's own name for another address, for a controller that is not verified, and for no cleaning", () => {
    const [op] = opsOf("settings to restore: address, cleaning", node) ?? [];
    expect(record(op?.value)).to.deep.include({
      stackId: "us",
      restorePending: true,
      written: {
        "driver_info/redfish_address": addressOf("node-1"),
        "driver_info/redfish_verify_ca": null,
        automated_clean: null,
      },
      previous: {
        "driver_info/redfish_address": EVIL_ADDRESS,
        "driver_info/redfish_verify_ca": false,
        automated_clean: false,
      },
    });
  });

  it("cannot be told where nothing names the stack", () => {
    expect(opsOf("settings to restore: address, cleaning", { ...node, extra: {} })).to.equal(undefined);
    expect(opsOf("no marks", { ...node, extra: {} })).to.equal(undefined);
  });

  it("that names nobody or another stack is taken back, the stack's own marks stay", () => {
    const removed = (extra: object) => withoutForeignLies({ extra }).map(({ path }) => path);
    expect(removed(node.extra)).to.deep.equal([]);
    expect(removed({ [CONFIG_MARKER]: { stackId: LIARS_STACK }, [DEPLOYMENT_MARKER]: "unreadable" })).to.deep.equal([
      `/extra/${CONFIG_MARKER}`,
      `/extra/${DEPLOYMENT_MARKER}`,
    ]);
  });
});
