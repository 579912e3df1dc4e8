import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { LabError } from "../../lab/problem.ts";
import { bornAt, isAlive, run, spawnDetached, stopChild, withLock } from "../../lab/processes.ts";

describe("lab processes", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lab-processes-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("ends a child with its whole group", async () => {
    const log = join(dir, "log");
    const child = spawnDetached("sleeper", "sh", ["-c", "sleep 1000 & echo started; wait"], log);
    while (!existsSync(log) || !readFileSync(log, "utf8").includes("started")) await new Promise(setImmediate);
    await stopChild(child);
    expect(isAlive(child)).to.equal(false);
  });

  it("ends the rest of a group whose leader died", async () => {
    const log = join(dir, "log");
    const child = spawnDetached("leader", "sh", ["-c", "sleep 1000 & echo started; kill -9 $$"], log);
    while (bornAt(child.pid) !== undefined) await new Promise(setImmediate);
    expect(isAlive(child)).to.equal(true);
    await stopChild(child);
    expect(isAlive(child)).to.equal(false);
  });

  it("never touches a process that only has the same pid", async () => {
    const stranger = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
    const pid = stranger.pid ?? 0;
    try {
      await stopChild({ name: "ours", pid, born: "another time", log: "" });
      expect(bornAt(pid)).to.be.a("string");
    } finally {
      stranger.kill("SIGKILL");
    }
  });

  it("tells the last lines of a program that failed", async () => {
    const failure = await run("sh", ["-c", "for i in $(seq 40); do echo line $i >&2; done; exit 3"]).catch(
      (error) => error,
    );
    expect(failure).to.be.instanceOf(LabError);
    expect(failure.message).to.contain("ended with 3").and.contain("line 40").and.contain("line 21\n");
    expect(failure.message).not.to.contain("line 20\n");
  });

  it("ends a program that takes too long", async () => {
    const failure = await run("sleep", ["1000"], { timeoutMs: 50 }).catch((error) => error);
    expect(failure.message).to.contain("did not end within 0.05 s");
  });

  it("lets one work at a time, and takes over the lock of a dead holder", async () => {
    const lock = join(dir, "lock");
    writeFileSync(lock, JSON.stringify({ pid: process.pid, born: "another time" }));
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} in`);
      await new Promise(setImmediate);
      order.push(`${name} out`);
    };
    await Promise.all([withLock(lock, work("a")), withLock(lock, work("b"))]);
    expect(order.join()).to.be.oneOf(["a in,a out,b in,b out", "b in,b out,a in,a out"]);
    expect(existsSync(lock)).to.equal(false);
  });
});
