import { setTimeout as sleep } from 'node:timers/promises';

/** Starts that a crowded worker must have room for before it gets more, so that they are claimed together. */
const FEW = 5;
/** ms between two looks at whether there is room. */
const POLL = 20;
/** ms after the last start when one more is allowed without room: what keeps the worker busy may be the runs it has. */
const PATIENCE = 200;

/**
 * Lets so many runs be started as the worker of this process can carry. The others wait in the outbox, where owners take turns:
 * once started, they would wait for the worker, first come, first served.
 * @param room how many more runs the worker can carry at the moment
 */
export function createStartGate(room: () => number) {
  /** Those that are on their way to the worker, which does not know of them yet. */
  let starting = 0;
  let lastStart = 0;
  const free = () => room() - starting;
  const isPatient = () => Date.now() - lastStart < PATIENCE;

  return {
    /** @returns how many runs may be started now */
    allowed(): number {
      if (free() > 0) return free();
      return isPatient() ? 0 : 1;
    },

    /** Counts starts that were claimed. @returns a function to call once they have ended */
    begin(count: number): () => void {
      starting += count;
      if (count > 0) lastStart = Date.now();
      return () => {
        starting -= count;
      };
    },

    /** Waits until runs may be started, or the signal comes. */
    async opened(signal: AbortSignal): Promise<void> {
      while (!signal.aborted && free() < FEW && isPatient()) await sleep(POLL, undefined, { signal }).catch(() => {});
    },
  };
}
