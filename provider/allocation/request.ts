/** One allocation, as Ironic shows it. */
import { type IronicError, isGone } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import { type Allocation, allocationSchema } from "../node/index.ts";

/** Ends the sentence that says what took too long. */
export const afterTrouble = ({ message }: IronicError): string => `. The last error was: ${message}`;

export const unlessGone = <T>(reading: Promise<T>): Promise<T | undefined> =>
  reading.catch((error: unknown) => {
    if (!isGone(error)) throw error;
    return undefined;
  });

export const readAllocation = (client: Client, uuid: string, signal?: AbortSignal): Promise<Allocation> =>
  client.get(`/allocations/${uuid}`, {
    operation: `read the allocation ${uuid}`,
    shape: allocationSchema,
    ...(signal && { signal }),
  });
