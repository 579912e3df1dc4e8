// What Ironic does not find may only be hidden: it answers an account that may not see a node as if there were none.
import { expect } from "chai";
import { configDriveHandler } from "../../provider/config-drive/handler.ts";
import { ProblemError } from "../../provider/core/errors.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { Handler, Props } from "../../provider/plugin/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { INPUTS, NODE } from "../fakes/deployments.ts";
import { settingsBy } from "../fakes/identities.ts";
import { type World, world } from "../fakes/world.ts";

const PROJECT = "project:9d2c4e8f";

const RESOURCES: Readonly<Record<string, { handler: Handler; inputs: Props; deletes: boolean }>> = {
  RamdiskDeployment: { handler: deploymentHandler, inputs: INPUTS, deletes: true },
  BaremetalNodeConfig: {
    handler: nodeConfigHandler,
    inputs: { node: "worker-1", description: "ours", ...settingsBy("stack-1", "settings") },
    deletes: true,
  },
  // Its destroy asks nothing of Ironic.
  ConfigDrive: {
    handler: configDriveHandler,
    inputs: { node: "worker-1", userData: "#!", format: "iso" },
    deletes: false,
  },
};

interface Case {
  title: string;
  /** The scope of the account, since the resource was made. */
  scope?: string;
  /** What happens after the resource was made; there is another node. */
  happens(w: World, first: Stored, settings: Record<string, string>): void;
  /** Why it is taken for hidden; without: it is gone. */
  doubt?: RegExp;
}

const hideFirst = (w: World): void => {
  w.client.hidden.add(NODE);
};
const remove = (w: World): void => w.ironic.remove(NODE);
const made = (first: Stored, connection: object): void => {
  first.outs.connection = { ...(first.outs.connection as object), ...connection };
};

const CASES: readonly Case[] = [
  {
    title: "all nodes hidden, by a role that was lost",
    scope: "system",
    happens: (w) => {
      for (const { node } of w.ironic.nodes) w.client.hidden.add(node.uuid);
    },
    doubt: /not one node is shown to this account/,
  },
  {
    title: "one of two nodes hidden from a project",
    scope: PROJECT,
    happens: hideFirst,
    doubt: /with the scope project:9d2c4e8f, Ironic does not show all nodes/,
  },
  { title: "one of two nodes hidden from a trust", scope: "trust:7", happens: hideFirst, doubt: /scope trust:7/ },
  { title: "one of two nodes hidden from a fixed token", scope: "unknown", happens: hideFirst, doubt: /scope unknown/ },
  { title: "one of two nodes hidden from a domain", scope: "domain:7", happens: hideFirst, doubt: /scope domain:7/ },
  { title: "a node that is gone for an account of the whole system", scope: "system", happens: remove },
  { title: "a node that was deleted, where nobody logs in", happens: remove },
  {
    title: "a project's node, asked for with another scope",
    scope: PROJECT,
    happens: (w) => {
      hideFirst(w);
      w.client.here = { ...w.client.here, scope: "system" };
    },
    doubt: /made with the scope project:9d2c4e8f, and now the scope is system/,
  },
  {
    title: "another Ironic",
    happens: (w, first) => {
      remove(w);
      made(first, { endpoint: "https://west.example" });
    },
    doubt: /it was made at https:\/\/west\.example\b/,
  },
  {
    title: "another region",
    happens: (w, first) => {
      remove(w);
      made(first, { region: "west" });
    },
    doubt: /it was made at http:\/\/ironic\.test \(region west\)/,
  },
  {
    title: "a state that does not say where it was made",
    happens: (w, first) => {
      remove(w);
      delete first.outs.connection;
    },
    doubt: /does not say where it was made/,
  },
  {
    title: "the only node, deleted",
    happens: (w) => {
      for (const { node } of [...w.ironic.nodes]) w.ironic.remove(node.uuid);
    },
    doubt: /not one node is shown to this account/,
  },
  {
    title: "the list of nodes refused",
    scope: "system",
    happens: (w) => {
      hideFirst(w);
      w.before(({ path }) => path === "/nodes" && w.fault("GET", "/nodes", "forbidden"));
    },
    doubt: /not one node is shown to this account/,
  },
  {
    title: "hidden nodes that the user says are gone",
    scope: PROJECT,
    happens: (w, _first, settings) => {
      hideFirst(w);
      settings.missingNodes = "forget";
    },
  },
];

const ACCOUNT = 'user "ops" (u-1) in the whole system';

async function scene({ handler, inputs }: { handler: Handler; inputs: Props }, { scope = "none", happens }: Case) {
  const settings: Record<string, string> = {};
  const w = world(handler, { node: { automated_clean: false }, settings });
  w.ironic.add();
  w.client.here = { ...w.client.here, scope, account: ACCOUNT };
  const first = await w.made(undefined, inputs);
  happens(w, first, settings);
  w.client.writes.length = 0;
  return { w, first };
}

const expectHidden = (text: string, doubt: RegExp): void => {
  expect(text)
    .to.match(doubt)
    .and.to.match(/^Node worker-1 \(00000000-.*1\) could not be found, says Ironic/);
  expect(text).to.contain(`Asked was http://ironic.test by ${ACCOUNT}.`);
  expect(text).to.contain("`pulumi state delete 'urn:x'`");
  expect(text).to.contain("`pulumi config set ironic:missingNodes forget`");
};

for (const [type, resource] of Object.entries(RESOURCES))
  describe(`a ${type} that Ironic does not find`, () => {
    for (const one of CASES) {
      const { title, doubt } = one;
      it(`${doubt ? "stays in the state, with a warning," : "leaves the state, with a warning,"} by refresh: ${title}`, async () => {
        const { w, first } = await scene(resource, one);
        w.call = { ...w.call, urn: "urn:x" };
        const { shown } = w.call;
        expect(await w.refresh(first)).to.deep.equal(doubt ? first : undefined);
        expect(shown).to.have.length(1);
        expect(shown[0]).to.match(doubt ? / \[node-hidden\]$/ : / \[node-gone\]$/);
        if (doubt) expectHidden(String(shown[0]), doubt);
        if (doubt) expect(shown[0]).to.contain("stays in the state as it was");
        else
          expect(shown[0])
            .to.match(/^Node worker-1 .* is gone, and leaves the state/)
            .and.to.contain("http://ironic.test");
      });

      if (!resource.deletes) continue;
      it(`${doubt ? "is not destroyed" : "is destroyed, with a warning"}: ${title}`, async () => {
        const { w, first } = await scene(resource, one);
        w.call = { ...w.call, urn: "urn:x" };
        const { shown } = w.call;
        const error = await w.destroy(first);
        if (doubt) {
          expect(error).to.be.instanceOf(ProblemError).and.to.have.property("code", "node-hidden");
          expectHidden(String(error?.message), doubt);
        } else expect(error).to.equal(undefined);
        expect(shown.map((text) => / \[.*\]$/.exec(text)?.[0])).to.deep.equal(doubt ? [] : [" [node-gone]"]);
        expect(w.client.writes).to.deep.equal([]);
      });
    }

    it("says what is wrong with the setting", async () => {
      const { w, first } = await scene(resource, {
        title: "",
        happens: (v, _first, settings) => {
          hideFirst(v);
          settings.missingNodes = "yes";
        },
      });
      const error = await w.refresh(first).catch((reason: Error) => reason);
      expect(error).to.have.property("code", "setting-invalid");
    });
  });

describe("a RamdiskDeployment whose node vanishes", () => {
  const deployed = async (scope: string) => {
    const w = world(deploymentHandler, { node: { automated_clean: false } });
    w.ironic.add();
    w.client.here = { ...w.client.here, scope };
    const first = await w.made(undefined, INPUTS);
    w.client.writes.length = 0;
    return { w, first };
  };

  for (const [scope, code] of [
    [PROJECT, "node-hidden"],
    ["none", undefined],
  ] as const)
    it(`in the midst of destroy is ${code ? "taken for hidden from a project" : "gone where nothing is hidden"}`, async () => {
      const { w, first } = await deployed(scope);
      w.before(() => {
        if (w.client.writes.length > 0) hideFirst(w);
      });
      const { shown } = w.call;
      const error = await w.destroy(first);
      expect((error as ProblemError | undefined)?.code).to.equal(code);
      expect(shown.join()).to.match(code ? /^$/ : / \[node-gone\]$/);
    });

  it("is not found by an update, which fails and speaks of the account", async () => {
    const { w, first } = await deployed(PROJECT);
    hideFirst(w);
    const { stored, error } = await w.up(first, { ...INPUTS, kernelArguments: "other" });
    expect(error).to.have.property("code", "node-not-found");
    expect(error?.message).to.match(/or this account cannot see it; check the project and roles of the account/);
    expect(stored).to.deep.equal(first);
  });
});
