// The promises, judged at their moments: after an up, after each command beside an actor, and at the end of a run.

import type { Access } from "./accounts.ts";
import {
  isBusy,
  judgeHidden,
  judgeKnown,
  judgeLeft,
  judgeMost,
  judgeRestored,
  judgeRestoredFrom,
  judgeRunning,
  judgeStarts,
  judgeUntouched,
  look,
  since,
  stackIdsOn,
  type Views,
} from "./assertions.ts";
import { giveBack, listed } from "./leftovers.ts";
import { bootsIn, type Phase, type Program } from "./plan.ts";
import type { StateResource } from "./pulumi-process.ts";
import { blame, namesOf, type Stage, stackIdOf, viewOf } from "./stage.ts";

/** Identities on nodes after a kill must be known to the state: it is made before any node is touched. */
export async function judgeStackId({ site, stack, plan, result, actor, stackId }: Stage): Promise<void> {
  const known = stackIdOf(stack) ?? stackId;
  for (const [name, view] of await look(site.lab, namesOf(plan.up)))
    for (const marked of stackIdsOn(view))
      if (marked !== known && !actor.tamperingOf(name).isTouched)
        result.broken.push(`${name}: marked as ${marked}'s, whom the state does not know (${known})`);
}

/** After a successful up: each machine runs what is wanted, booted as often as wanted; what was dropped, not at all. */
export function judgeUp(stage: Stage, phase: Phase, program: Program, before: Views, now: Views): void {
  const { resources } = stage.stack.state();
  for (const machine of program.machines) {
    const { node } = machine;
    const view = viewOf(now, node);
    const { isTouched, deploymentLies } = stage.actor.tamperingOf(node);
    blame(stage, phase, node, judgeRunning(machine, view, resources, !isTouched));
    const events = since(viewOf(before, node), view);
    const boots = bootsIn(stage.plan, phase, node);
    blame(stage, phase, node, judgeStarts(events, boots, stage.conductorDied, deploymentLies));
  }
  const kept = namesOf(program);
  const dropped = namesOf(stage.plan.up).filter((name) => !kept.includes(name));
  judgeMostOf(stage, phase, dropped, before, now);
}

/** After the program was carried out once more: all of it runs, and what was not destroyed meanwhile was not booted. */
export function judgeAgain(stage: Stage, program: Program, before: Views, now: Views): void {
  const { resources } = stage.stack.state();
  for (const machine of program.machines)
    blame(stage, "again", machine.node, judgeRunning(machine, viewOf(now, machine.node), resources));
  judgeMostOf(stage, "again", namesOf(program), before, now);
}

/** Whatever became of the phase: it booted no node more often than it had to. */
export function judgeMostOf(stage: Stage, phase: Phase, names: readonly string[], before: Views, now: Views): void {
  for (const name of names) {
    const events = since(viewOf(before, name), viewOf(now, name));
    const most = bootsIn(stage.plan, phase, name) + stage.actor.tamperingOf(name).deploymentLies;
    blame(stage, phase, name, judgeMost(events, most, stage.conductorDied));
  }
}

/** After a command beside an actor: what runs is known to somebody, and what is hidden is not forgotten. */
export async function judgeMemory(stage: Stage, label: string, was: readonly StateResource[]): Promise<void> {
  const { plan, site, stack, actor, before } = stage;
  const names = namesOf(plan.up);
  const now = await look(site.lab, names);
  const { resources } = stack.state();
  for (const name of names) {
    const view = viewOf(now, name);
    // Whose marks somebody removed, the end shows.
    if (!actor.tamperingOf(name).isTouched) blame(stage, label, name, judgeKnown(name, view, resources, stage.stackId));
    if (actor.isHidden(name))
      blame(stage, label, name, judgeHidden(name, [was, resources], [viewOf(before, name), view]));
  }
}

const accessOf = ({ stack, accounts }: Stage): Access => ({
  env: { ...stack.env, ...accounts.direct.env },
  config: accounts.direct.config,
});

/** What a forgotten create left must be marked truly, be listed by `pulumi-ironic claims`, and be released by it. */
async function judgeLeftovers(stage: Stage, now: Views, names: readonly string[]): Promise<void> {
  const { result, stackId, before, actor } = stage;
  const honest = names.filter((name) => !actor.tamperingOf(name).isTouched);
  result.left.push(...names);
  for (const name of honest)
    blame(stage, "left behind", name, judgeLeft(viewOf(before, name), viewOf(now, name), stackId));
  const { listed: found, outcomes } = await giveBack(accessOf(stage), stackId ?? "");
  result.commands.push(...outcomes);
  for (const name of honest) if (!found.has(name)) result.broken.push(`${name} is left claimed, but not listed`);
  if (honest.length < names.length) return;
  for (const { code, output } of outcomes) if (code !== 0) result.broken.push(`claims ended with ${code}: ${output}`);
}

/** The state is empty: what still runs must at least be found. */
async function judgeForgotten(stage: Stage, end: Views): Promise<void> {
  const { plan, result, stackId } = stage;
  const busy = namesOf(plan.up).filter((name) => isBusy(viewOf(end, name)));
  if (busy.length === 0) return;
  const { listed: found, outcomes } = await listed(accessOf(stage), stackId ?? "");
  result.commands.push(...outcomes);
  for (const name of busy.filter((one) => !found.has(one)))
    result.broken.push(
      `${name} is ${viewOf(end, name).body.provision_state} after the destroy, and neither the state nor \`claims\` knows it`,
    );
}

/** After the stack has gone: everything is as it was, or a create that the engine forgot is marked as such. */
export async function judgeEnd(stage: Stage, forgetful: boolean): Promise<Views> {
  const { plan, site, stack, result, before, actor } = stage;
  const mine = namesOf(plan.up);
  const { resources } = stack.state();
  if (resources.length > 0) result.broken.push(`destroy left ${resources.length} resources in the state`);
  const now = await look(site.lab, mine);
  const differs = (views: Views) => (name: string) =>
    judgeRestored(viewOf(before, name), viewOf(views, name)).length > 0;
  const remains = mine.filter(differs(now));
  if (forgetful && remains.length > 0) await judgeLeftovers(stage, now, remains);
  const end = await look(site.lab, [...before.keys()]);
  await judgeForgotten(stage, end);
  for (const [name, view] of end) {
    const was = viewOf(before, name);
    if (mine.includes(name)) blame(stage, "destroy", name, judgeRestoredFrom(was, view, actor.tamperingOf(name)));
    else blame(stage, "not ours", name, judgeUntouched(was, view));
  }
  result.spoiled.push(...mine.filter(differs(end)));
  return end;
}
