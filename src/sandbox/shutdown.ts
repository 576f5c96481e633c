/** Something that was started and has to be stopped. */
export interface Stoppable {
  stop: () => Promise<void>;
  /** Ends it at once, without waiting; for what lives in this process there is nothing to do. */
  kill?: () => void;
}

/** The order of stopping: what uses others goes before what it uses. */
const order = ['applications', 'temporal', 'simulators', 'postgres', 'home'] as const;
/** A group of parts that are stopped together. */
export type ShutdownGroup = (typeof order)[number];

/** What has been started so far, so that all of it can be stopped in order at any moment. */
export class Shutdown {
  readonly #running = new Map<Stoppable, ShutdownGroup>();

  /** Notes a part that runs; returns it. */
  add<Part extends Stoppable>(group: ShutdownGroup, part: Part): Part {
    this.#running.set(part, group);
    return part;
  }

  /** Stops everything, group after group. One that fails does not keep the others; all failures are thrown together. */
  async stopAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const group of order) {
      const parts = [...this.#running].filter(([, of]) => of === group).map(([part]) => part);
      const outcomes = await Promise.allSettled(
        parts.map((part) => part.stop().then(() => this.#running.delete(part))),
      );
      for (const outcome of outcomes) if (outcome.status === 'rejected') failures.push(outcome.reason);
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('; '));
  }

  /** Ends every process that is still there at once. */
  killAll(): void {
    for (const part of this.#running.keys()) part.kill?.();
  }
}
