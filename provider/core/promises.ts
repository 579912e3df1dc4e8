/** `shared`, or a rejection as soon as `signal` aborts: leaving does not end what others wait for as well. */
export const raceAbort = <T>(shared: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (signal === undefined) return shared;
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    shared.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
};

/** Remembers the first success of `work`; all who come meanwhile wait for the same attempt, a failure is forgotten. */
export const memoise = <T>(work: () => Promise<T>): { get(signal?: AbortSignal): Promise<T>; forget(): void } => {
  let shared: Promise<T> | undefined;
  return {
    get: (signal) => {
      if (shared === undefined) {
        const mine = work();
        shared = mine;
        mine.catch(() => {
          if (shared === mine) shared = undefined;
        });
      }
      return raceAbort(shared, signal);
    },
    forget: () => {
      shared = undefined;
    },
  };
};
