/** What decisions are asked of, and a decision in a word or two. */
import { type ActionName, type Attempt, newAttempt } from "../../provider/deployment/attempt.ts";
import { decideDeploy } from "../../provider/deployment/decision.ts";
import type { DeployWant } from "../../provider/deployment/want.ts";
import type { Decision } from "../../provider/node/decision.ts";
import type { Node } from "../../provider/node/node.ts";
import { CLAIM, type Held, INFO } from "../fakes/nodes.ts";

export const WANT: DeployWant = {
  claim: CLAIM,
  info: INFO,
  bootHash: "of what is wanted",
  driveHash: undefined,
  last: undefined,
  protected: false,
  keep: false,
  updateStrategy: "rebuild",
  hasState: true,
};

/** A decision in a word or two. */
export const said = (decision: Decision<ActionName>): string =>
  decision.do === "act" ? decision.action : decision.do === "done" && decision.warning ? "warning" : decision.do;

export const deploy = (node: Node, want: Partial<DeployWant> = {}, attempt: Partial<Attempt> = {}): string =>
  said(decideDeploy(node, { ...WANT, ...want }, { ...newAttempt(), ...attempt }));

export const problemOf = (decision: Decision<ActionName>): string =>
  decision.do === "fail" ? `${decision.problem}. ${decision.advice}.` : `(${said(decision)})`;

export const COLUMNS: readonly Held[] = ["free", "ours", "prepared", "unmarked", "marked"];
export type Row = [free: string, ours: string, prepared: string, unmarked: string, marked: string];
