import { expect } from "chai";
import { cloudCases } from "../../matrix/cloud-cases.ts";
import { compareClouds, findPython } from "../../matrix/clouds.ts";
import { type Surroundings, searchFolders } from "../../provider/connection/cloud-files.ts";
import { loadSources, resolveCloud } from "../../provider/connection/clouds.ts";
import { ProblemError } from "../../provider/core/errors.ts";

const around = (files: Record<string, string>, env: NodeJS.ProcessEnv = {}): Surroundings => ({
  env,
  cwd: "/project",
  home: "/home/u",
  platform: "linux",
  readFile: (path) => files[path],
});

const resolve = (files: Record<string, string>, env: NodeJS.ProcessEnv = {}, cloud?: string) =>
  resolveCloud(loadSources(around(files, env), true), { cloud, args: {} });

describe("clouds.yaml", () => {
  it("is looked for where openstacksdk looks", () => {
    expect(searchFolders(around({}))).to.deep.equal([
      "/project",
      "/home/u/.config/openstack",
      "/etc/xdg/openstack",
      "/etc/openstack",
    ]);
    expect(searchFolders(around({}, { SNAP_REAL_HOME: "/home/real", XDG_CONFIG_HOME: "/x" }))).to.deep.equal([
      "/project",
      "/x/openstack",
      "/home/real/.config/openstack",
      "/etc/xdg/openstack",
      "/etc/openstack",
    ]);
    expect(searchFolders({ ...around({}), platform: "darwin" })[1]).to.equal(
      "/home/u/Library/Application Support/openstack",
    );
  });

  it("names the source that won", () => {
    const file = { "/etc/openstack/clouds.yaml": "clouds:\n  lab:\n    auth_type: none\n" };
    expect(resolve(file).source).to.equal('cloud "lab" of /etc/openstack/clouds.yaml');
    expect(resolve(file, { OS_AUTH_TYPE: "none", OS_ENDPOINT: "http://i" }).source).to.equal(
      "environment (OS_AUTH_TYPE, OS_ENDPOINT)",
    );
  });

  it("says what it looked at when a cloud is missing or it is not clear which is meant", () => {
    const file = { "/project/clouds.yaml": "clouds:\n  a: {}\n  b: {}\n" };
    expect(() => resolve(file)).to.throw(
      ProblemError,
      /\/project\/clouds\.yaml has several clouds \("a", "b"\), and none is chosen/,
    );
    expect(() => resolve(file, { OS_CLOUD: "c" })).to.throw(
      ProblemError,
      /Cloud "c" \(OS_CLOUD\) was not found\. Looked at: environment \(OS_CLOUD\); \/project\/clouds\.yaml \(clouds: a, b\)/,
    );
    expect(() => resolve(file, {}, "c")).to.throw(ProblemError, /Cloud "c" \(ironic:cloud\)/);
  });

  it("tells of files that it skipped, without a line of them", () => {
    const sources = loadSources(
      around({ "/project/clouds.yaml": "password: [hunter22", "/project/secure.json": "hunter22" }),
      true,
    );
    expect(sources.looked).to.include("/project/clouds.yaml was skipped: not valid YAML");
    expect(sources.looked).to.include("/project/secure.json was skipped: not valid JSON");
    expect(sources.looked.join()).to.not.contain("hunter22");
  });

  it("is resolved as openstacksdk resolves it, but for what is listed", function () {
    const found = findPython(process.env.PULUMI_IRONIC_PYTHON);
    if ("reason" in found) {
      process.stderr.write(`    not compared with openstacksdk: ${found.reason}\n`);
      this.skip();
    }
    this.timeout(120_000);
    const rows = compareClouds(found.python);
    expect(rows).to.have.length(cloudCases.length);
    const surprising = rows.filter((row) => (row.differences.length === 0) !== (row.case.differs === undefined));
    expect(surprising).to.deep.equal([]);
  });
});
