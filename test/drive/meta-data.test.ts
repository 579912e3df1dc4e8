import { expect } from "chai";
import { buildMetaData, checkMetaData } from "../../provider/drive/meta-data.ts";
import { describeFailure, type InvalidInput, UNKNOWN } from "../../provider/schema/index.ts";

const ED = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA user@host";
const RSA = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB";
const files: Record<string, string> = {
  "a.pub": `# mine\n${ED}\n\n${RSA}\r\n`,
  id_ed25519: "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n",
  "empty.pub": "\n# nothing\n",
};
const read = (path: string): string => {
  const text = files[path];
  if (text === undefined) throw Object.assign(new Error("no"), { code: "ENOENT" });
  return text;
};
const refusal = (args: Parameters<typeof buildMetaData>[0]): string => {
  try {
    buildMetaData(args, read);
    return "";
  } catch (error) {
    return (error as InvalidInput).message;
  }
};

describe("meta-data", () => {
  it("tells cloud-init and Glean the host name from one field", () => {
    expect(buildMetaData({ hostname: "worker-1" }, read)).to.deep.equal({ hostname: "worker-1", name: "worker-1" });
    expect(buildMetaData({ hostname: "worker-1", name: "other" }, read)).to.deep.equal({
      hostname: "worker-1",
      name: "other",
    });
  });

  it("takes keys as a list, as a dictionary, from files, and all together", () => {
    const keys = (args: Parameters<typeof buildMetaData>[0]) => buildMetaData(args, read).public_keys;
    expect(keys({ publicKeys: [`${ED}\n`, RSA] })).to.deep.equal({ 0: ED, 1: RSA });
    expect(keys({ publicKeys: { me: `${ED}\n` } })).to.deep.equal({ me: ED });
    expect(keys({ publicKeyFiles: ["a.pub"] })).to.deep.equal({ 0: ED, 1: RSA });
    expect(keys({ publicKeys: [RSA], publicKeyFiles: ["a.pub"] })).to.deep.equal({ 0: RSA, 1: ED, 2: RSA });
    expect(keys({ publicKeys: { me: RSA }, publicKeyFiles: ["a.pub"] })).to.deep.equal({ me: RSA, 0: ED, 1: RSA });
    expect(keys({ publicKeys: [] })).to.equal(undefined);
    expect(keys({ public_keys: { me: ED } })).to.deep.equal({ me: ED });
  });

  it("passes further keys on", () => {
    const args = { uuid: "u-1", availability_zone: "nova", meta: { role: "worker" }, files: [] };
    expect(buildMetaData(args, read)).to.deep.equal(args);
  });

  it("says which file holds no public keys, and never what is in it", () => {
    expect(refusal({ publicKeyFiles: ["a.pub", "b.pub"] })).to.equal(
      "metaData.publicKeyFiles[1]: the key file b.pub cannot be read (ENOENT)",
    );
    expect(refusal({ publicKeyFiles: ["id_ed25519"] })).to.match(
      /^metaData\.publicKeyFiles\[0\]: id_ed25519 contains a PRIVATE key/,
    );
    expect(refusal({ publicKeyFiles: ["empty.pub"] })).to.match(/does not contain SSH public keys, one per line/);
  });

  const wrong: [value: unknown, failure: RegExp][] = [
    [{ hostname: "a_b" }, /^metaData\.hostname: must be a host name/],
    [{ hostname: "-a" }, /^metaData\.hostname: /],
    [{ hostname: `${"a".repeat(64)}.org` }, /^metaData\.hostname: /],
    [{ publicKeys: "ssh-ed25519 AAAA" }, /^metaData\.publicKeys: must be a list or an object$/],
    [{ publicKeys: ["AAAA"] }, /^metaData\.publicKeys\[0\]: is not an SSH public key/],
    [{ publicKeys: [`${ED}\n${RSA}`] }, /^metaData\.publicKeys\[0\]: must be one public key on one line$/],
    [{ publicKeys: { me: files.id_ed25519 } }, /^metaData\.publicKeys\.me: is a PRIVATE key/],
    [{ publicKeys: [" "] }, /^metaData\.publicKeys\[0\]: is empty$/],
    [{ public_keys: { a: ED }, publicKeys: [ED] }, /^metaData\.public_keys: conflicts with publicKeys/],
    [{ uuid: 5 }, /^metaData\.uuid: must be a string$/],
    ["x", /^metaData: must be an object$/],
  ];
  for (const [value, failure] of wrong) {
    it(`refuses with ${failure.source.slice(0, 60)}`, () => {
      const found = checkMetaData(value).map(describeFailure);
      expect(found).to.have.length(1);
      expect(found[0]).to.match(failure);
      expect(found[0]).not.to.contain("AAAAC3");
    });
  }

  it("judges only what is known", () => {
    for (const value of [
      UNKNOWN,
      { hostname: UNKNOWN },
      { publicKeys: UNKNOWN },
      { publicKeys: [UNKNOWN, ED] },
      { publicKeys: { a: UNKNOWN } },
    ]) {
      expect(checkMetaData(value), JSON.stringify(value)).to.deep.equal([]);
    }
  });
});
