import type { Code } from "../core/index.ts";

/** What came of giving something back that a stack held. */
export type GivenBack =
  | { did: "released" }
  /** There was nothing left to do. */
  | { did: "nothing"; why: string }
  /** It is still there. */
  | { did: "left"; code: Code; why: string };

export const RELEASED: GivenBack = { did: "released" };
export const nothingToRelease = (why: string): GivenBack => ({ did: "nothing", why });
export const leftThere = (code: Code, why: string): GivenBack => ({ did: "left", code, why });
