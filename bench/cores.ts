// In the field Ironic has a machine to itself. Here it gets a core, and all who are measured share the others: otherwise the
// scheduler moves its threads about, and how busy a client keeps its own machine tells in the server's time.
import { descendants } from "../chaos/kin.ts";
import type { Lab } from "../lab/lab.ts";
import { onPath, run } from "../lab/processes.ts";

/** Numbers of a list such as `0,2-3`: https://man7.org/linux/man-pages/man7/cpuset.7.html#FORMATS */
export const coresOf = (list: string): number[] =>
  list.split(",").flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });

/** Who runs where, for people. */
export async function separate(lab: Lab): Promise<string> {
  const taskset = onPath("taskset");
  if (taskset === undefined) return "Ironic and clients share the cores: there is no taskset";
  const said = await run(taskset, ["--cpu-list", "--pid", String(process.pid)]);
  const [own, ...others] = coresOf(said.slice(said.lastIndexOf(":") + 1).trim());
  if (own === undefined || others.length === 0) return "Ironic and clients share the only core";
  const move = (pid: number, cores: string) => run(taskset, ["--all-tasks", "--cpu-list", "--pid", cores, String(pid)]);
  for (const { name, pid } of lab.processes)
    for (const each of [pid, ...descendants(pid).map((child) => child.pid)])
      await move(each, name === "ironic" ? String(own) : others.join());
  await move(process.pid, others.join());
  return `Ironic runs on core ${own}, its clients on ${others.join()}`;
}
