// Most of this is for the compiler: what is forgotten must not compile. tsc checks the lines below `@ts-expect-error`.
import { expect } from "chai";
import {
  BOOT_ARGUMENTS,
  DEPLOYMENT_ARGUMENTS,
  type DeploymentProps,
  type DeploymentTable,
} from "../../provider/deployment/arguments.ts";
import { contentHashOf } from "../../provider/deployment/drive-value.ts";
import type { RamdiskDeploymentArgs } from "../../provider/deployment/index.ts";
import { SECRET_ARGUMENTS } from "../../provider/deployment/secrets.ts";
import { instanceInfo } from "../../provider/deployment/want.ts";
import { BOOT_FIELDS } from "../../provider/node/instance-info.ts";
import { bootHashOf } from "../../provider/node/slow-hash.ts";
import { argumentsThat } from "../../provider/plugin/arguments.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import type { IdentityInputs } from "../../provider/stack/identity.ts";
import { slowHash } from "../fakes/call.ts";
import { DRIVE, INPUTS, OURS, scene } from "../fakes/deployments.ts";
import type { Equal, Plain } from "../fakes/types.ts";

type Public = Omit<DeploymentProps, keyof IdentityInputs>;
true satisfies Equal<Plain<RamdiskDeploymentArgs>, Public>;
// @ts-expect-error an argument of the class that has no schema
true satisfies Equal<Plain<RamdiskDeploymentArgs & { initrd?: string }>, Public>;
// @ts-expect-error a schema that the class does not have
true satisfies Equal<Plain<Omit<RamdiskDeploymentArgs, "kernel">>, Public>;
// @ts-expect-error another type
true satisfies Equal<Plain<Omit<RamdiskDeploymentArgs, "protected"> & { protected?: string | undefined }>, Public>;

const { kernel, configDrive, protected: isProtected, ...others } = DEPLOYMENT_ARGUMENTS;
// @ts-expect-error kernel has no row
({ configDrive, protected: isProtected, ...others }) satisfies DeploymentTable;
// @ts-expect-error there is no such argument
({ ...DEPLOYMENT_ARGUMENTS, initrd: kernel }) satisfies DeploymentTable;
const { secret: _secret, ...open } = configDrive;
// @ts-expect-error the drive is a secret
({ ...DEPLOYMENT_ARGUMENTS, configDrive: open }) satisfies DeploymentTable;
// @ts-expect-error what is secret is in secrets.ts, for the class
({ ...DEPLOYMENT_ARGUMENTS, kernel: { ...kernel, secret: true } }) satisfies DeploymentTable;
const { boots: _boots, ...bootless } = kernel;
// @ts-expect-error what reboots a machine says how it reaches it
({ ...DEPLOYMENT_ARGUMENTS, kernel: bootless }) satisfies DeploymentTable;

/** Of each argument a value, and another one. */
const VALUES: Readonly<Record<keyof DeploymentProps, readonly [unknown, unknown]>> = {
  node: ["worker-1", "worker-2"],
  kernel: ["http://h/a", "http://h/b"],
  ramdisk: ["http://h/a", "http://h/b"],
  bootIso: ["http://h/a", "http://h/b"],
  kernelArguments: ["a", "b"],
  configDrive: [{ meta_data: { a: 1 } }, { meta_data: { a: 2 } }],
  timeoutSeconds: [1, 2],
  undeployTimeoutSeconds: [1, 2],
  updateStrategy: ["rebuild", "redeploy"],
  onDestroy: ["undeploy", "keep"],
  powerPolicy: ["ignore", "on"],
  protected: [true, false],
  readiness: [{ tcp: "h:1" }, { tcp: "h:2" }],
  allocation: [OURS, "00000000-0000-4000-8000-0000000000ff"],
  adopt: ["unclaimed", OURS],
  stackId: ["a", "b"],
  stackName: ["a", "b"],
  resourceId: ["a", "b"],
  resourceName: ["a", "b"],
};

describe("the arguments of a RamdiskDeployment", () => {
  const rebooting = argumentsThat(DEPLOYMENT_ARGUMENTS, "reboots");

  for (const name of rebooting)
    it(`${name}, which reboots, is part of bootHash or of the drive's hash`, async () => {
      const hashes = await Promise.all(
        [undefined, ...(VALUES[name as keyof DeploymentProps] ?? [])].map(async (value) => {
          const props = { ...INPUTS, kernel: undefined, ramdisk: undefined, [name]: value } as DeploymentProps;
          return `${await bootHashOf(slowHash, instanceInfo(props, false), OURS)} ${contentHashOf(props.configDrive)}`;
        }),
      );
      expect(new Set(hashes).size, `see boots of ${name}, and provider/node/instance-info.ts`).to.equal(3);
    });

  it("set each field of instance_info that says what is booted, once", () => {
    const boots = BOOT_ARGUMENTS.map((name) => DEPLOYMENT_ARGUMENTS[name].boots);
    expect(boots).to.have.members([...BOOT_FIELDS]);
    expect([...BOOT_ARGUMENTS, "configDrive"]).to.have.members(rebooting);
  });

  it("that are secret are those of the class", () => {
    const secret = Object.entries(DEPLOYMENT_ARGUMENTS).filter(([, row]) => "secret" in row);
    expect(secret.map(([name]) => name)).to.have.members([...SECRET_ARGUMENTS]);
  });

  for (const [name, { change }] of Object.entries(DEPLOYMENT_ARGUMENTS))
    it(`${name}: a change of it shows as what the table says`, async () => {
      const w = scene();
      const first = await w.made(undefined, INPUTS);
      const [before, after] = VALUES[name as keyof DeploymentProps];
      const base = name === "bootIso" ? { ...INPUTS, kernel: undefined, ramdisk: undefined } : INPUTS;
      const stored = { ...first, outs: { ...first.outs, ...base, [name]: before } };
      for (const value of [after, ...(change === "onlyAtCreation" ? [] : [UNKNOWN])]) {
        const { changes, replaces } = await w.diff(stored, { ...base, [name]: value });
        expect({ changes, replaces }, String(value)).to.deep.equal({
          changes: !["identity", "onlyAtCreation"].includes(change),
          replaces: change === "replaces" ? [name] : [],
        });
      }
      const { changes } = await w.diff(stored, { ...base, [name]: before });
      expect(changes).to.equal(false);
    });

  it("of a state have their types only: rules may have become stricter since", async () => {
    const w = scene();
    const first = await w.made(undefined, { ...INPUTS, configDrive: DRIVE });
    const odd = { ...first, outs: { ...first.outs, kernelArguments: "x".repeat(5_000), written: { later: true } } };
    expect((await w.refresh(odd))?.outs).to.deep.include({ written: { later: true } });
    expect(await w.destroy(odd)).to.equal(undefined);
  });

  it("of a state that have another type are refused by name, and nothing is touched", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    const writes = w.client.writes.length;
    const broken = { ...first, outs: { ...first.outs, instanceUuid: 7, started: { bootHash: "a" } } };
    const error = await w.destroy(broken);
    expect(error?.name).to.equal("ProblemError");
    expect(error?.message).to.match(
      /^The state of RamdiskDeployment "worker" is not usable: instanceUuid: must be a string; started.preparedAt: is missing/,
    );
    expect((await w.up(broken, INPUTS)).error?.message).to.contain("instanceUuid: must be a string");
    expect(w.client.writes).to.have.length(writes);
  });

  it("are complete where the machine is touched", async () => {
    const w = scene();
    expect((await w.up(undefined, { ...INPUTS, kernel: UNKNOWN })).error?.message).to.contain("are not known yet");
    expect((await w.up(undefined, { ...INPUTS, kernel: 7 })).error?.message).to.contain("kernel: must be a string");
    expect(w.client.writes).to.deep.equal([]);
  });
});
