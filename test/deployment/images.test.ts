import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import nock from "nock";
import type { DeploymentProps } from "../../provider/deployment/args.ts";
import { imageIssues } from "../../provider/deployment/images.ts";
import type { RunContext } from "../../provider/run/context.ts";

const HOST = "http://images.test";
const LATER = "from here; the conductor may use another network";

const asked: RunContext["imageTroubles"] = new Map();

const found = async (props: Partial<DeploymentProps>) =>
  (await imageIssues(props as DeploymentProps, asked)).map(({ path, reason, rejected }) => {
    expect(rejected).to.equal(false);
    return `${path} ${reason}`;
  });

describe("the images of a deployment", () => {
  before(() => nock.disableNetConnect());
  after(() => nock.enableNetConnect());
  afterEach(() => {
    expect(nock.pendingMocks()).to.deep.equal([]);
    nock.cleanAll();
  });

  for (const [title, head, get, said] of [
    ["are there", 200, undefined, []],
    ["may be elsewhere", 302, undefined, []],
    ["may be signed for GET", 403, 200, []],
    ["may be on a server that knows no HEAD", 405, 200, []],
    ["are not there", 404, 404, [`kernel answers 404 ${LATER}`]],
    ["may be shown to the conductor only", 401, 401, []],
    ["may be refused to us alone", 403, 403, []],
    ["are on a server that is out of order", 503, 502, [`kernel answers 502 ${LATER}`]],
  ] as const)
    it(`${title} (${head}, then ${get})`, async () => {
      const path = `/${head}-${get}`;
      nock(HOST).head(path).reply(head);
      if (get !== undefined) nock(HOST).get(path).reply(get, "the image");
      const props = { kernel: HOST + path };
      expect(await found(props)).to.deep.equal(said);
      // Once per run: nothing would answer a second time.
      expect(await found(props)).to.deep.equal(said);
    });

  it("are not asked for where nobody here can", async () => {
    const props = { kernel: "file:///kernel", ramdisk: "9c5b94b1-35ad-49bb-b118-8e8fc24abf80" };
    expect(await found(props)).to.deep.equal([]);
  });

  it("are told apart from a server that is not there", async () => {
    nock(HOST)
      .head("/gone")
      .replyWithError(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
    expect(await found({ bootIso: `${HOST}/gone` })).to.deep.equal([`bootIso does not answer (ECONNREFUSED) ${LATER}`]);
  });

  it("are asked for at once, and of what GET brings no more than the beginning is taken", async () => {
    let sent = 0;
    const heads: string[] = [];
    const { promise: all, resolve } = Promise.withResolvers<void>();
    const server = createServer(({ method, url }, response) => {
      if (method === "HEAD") {
        // Answers when both were asked.
        if (heads.push(String(url)) === 2) resolve();
        void all.then(() => response.writeHead(403).end());
        return;
      }
      const more = () => {
        while (sent < 1e9 && !response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.writeHead(200).on("drain", more);
      more();
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    nock.enableNetConnect("127.0.0.1");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      expect(await found({ kernel: `${url}/kernel`, ramdisk: `${url}/ramdisk` })).to.deep.equal([]);
      expect(heads).to.have.members(["/kernel", "/ramdisk"]);
      expect(sent).to.be.below(1e8);
    } finally {
      nock.disableNetConnect();
      server.closeAllConnections();
      server.close();
    }
  });
});
