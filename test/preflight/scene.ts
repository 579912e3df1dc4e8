/** A call of the engine and what it works with, for what looks at Ironic before anything is done. */
import type { Client } from "../../provider/http/client.ts";
import { fakeCall, fakeServices } from "../fakes/call.ts";
import { type ClientOptions, fakeClient } from "../fakes/client.ts";
import { virtualClock } from "../fakes/clock.ts";
import { fakeIronic } from "../fakes/ironic-model.ts";

interface SceneOptions {
  settings?: Record<string, string>;
  client?: Partial<ClientOptions>;
  /** What of the client does something else. */
  instead?: Partial<Client>;
}

export function scene({ settings = {}, client: options = {}, instead = {} }: SceneOptions = {}) {
  const clock = virtualClock();
  const ironic = fakeIronic({ clock });
  const client = fakeClient({ ironic, clock, ...options });
  return {
    clock,
    ironic,
    client,
    services: fakeServices({ ...client, ...instead }, clock, settings),
    call: fakeCall(),
  };
}
