/** Who else is in the world of a walk beside faults, kills and the usual operators. Each can be left out. */
import { BMC_DEEDS } from "../fakes/bmc.ts";
import { HANDS_DEEDS } from "../fakes/hands.ts";
import { LESSEE_DEEDS } from "../fakes/lessee.ts";
import { DEEDS, type Deed } from "../fakes/operator-actions.ts";
import { SIGHT_DEEDS } from "../fakes/sight.ts";

export const ALL_DEEDS = { ...DEEDS, ...LESSEE_DEEDS, ...HANDS_DEEDS, ...BMC_DEEDS, ...SIGHT_DEEDS };
export type DeedName = keyof typeof ALL_DEEDS;

interface ActorRow {
  who: string;
  deeds: Partial<Record<DeedName, Deed>>;
}

export const ACTORS = {
  lessee: { who: "a member of the lessee's project, who writes marks and removes them", deeds: LESSEE_DEEDS },
  hands: { who: "an operator who works at the machine and on the node", deeds: HANDS_DEEDS },
  bmc: { who: "a management controller that dies and comes back", deeds: BMC_DEEDS },
  glance: { who: "images that come from Glance", deeds: {} },
  lag: { who: "replicas of Ironic that lag by some seconds", deeds: {} },
  trail: { who: "replicas that still lag behind one run when the next begins", deeds: {} },
  twin: { who: "another stack with the same names, whose runs go on beside ours", deeds: {} },
  sight: { who: "an account that loses sight of nodes and regains it", deeds: SIGHT_DEEDS },
} as const satisfies Record<string, ActorRow>;
export type Actor = keyof typeof ACTORS;
const ACTOR_NAMES = Object.keys(ACTORS) as Actor[];

export const deedsOf = (actors: readonly Actor[]): DeedName[] =>
  actors.flatMap((actor) => Object.keys(ACTORS[actor].deeds) as DeedName[]);

const isActor = (name: string): name is Actor => name in ACTORS;

/** Those whose lies the provider does not withstand yet: they take part only where they are named. */
export const NOT_YET_MENDED: readonly Actor[] = ["trail"];

/** The actors that `text` names, separated by commas: `all`, or `none`. Without a text: all that are withstood. */
export function actorsIn(text: string | undefined): readonly Actor[] {
  if (text === undefined || text === "") return ACTOR_NAMES.filter((actor) => !NOT_YET_MENDED.includes(actor));
  if (text === "all") return ACTOR_NAMES;
  if (text === "none") return [];
  return text.split(",").map((name) => {
    if (isActor(name)) return name;
    throw new Error(`${name} is no actor of the model: ${ACTOR_NAMES.join(", ")}, all, none`);
  });
}
