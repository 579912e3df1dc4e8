/** What a fake client gives back: parsed as the real one's, so that no fake answers as Ironic never does. */
import { parseBody, type Shape } from "../../provider/http/shape.ts";

export const shaped = <T>(shape: Shape<T>, body: unknown, request: string): T => {
  const parsed = parseBody(shape, body);
  if (parsed.ok) return parsed.value;
  throw new Error(`the fake Ironic answers ${request} as no Ironic does: ${parsed.fault}`);
};
