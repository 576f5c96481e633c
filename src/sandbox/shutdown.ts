/** A part that was started and must be stopped. */
export interface Stoppable {
  stop: () => Promise<void>;
  /** Ends its process at once. Omitted by parts that run in this process. */
  kill?: () => void;
}

/** Groups in the order in which they stop: each stops before the parts that it uses. */
const order = ['applications', 'temporal', 'simulators', 'postgres', 'home'] as const;
/** A group of parts that stop together. */
export type ShutdownGroup = (typeof order)[number];

/** Keeps track of the running parts, so that they can be stopped in order at any moment. */
export class Shutdown {
  readonly #running = new Map<Stoppable, ShutdownGroup>();

  /** Adds a running part and returns it. */
  add<Part extends Stoppable>(group: ShutdownGroup, part: Part): Part {
    this.#running.set(part, group);
    return part;
  }

  /** Stops everything, group by group. If a part fails to stop, the others still stop. Throws all errors together. */
  async stopAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const group of order) {
      const parts = [...this.#running].filter(([, of]) => of === group).map(([part]) => part);
      const outcomes = await Promise.allSettled(
        parts.map((part) => part.stop().then(() => this.#running.delete(part))),
      );
      for (const outcome of outcomes) if (outcome.status === 'rejected') errors.push(outcome.reason);
    }
    if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
  }

  /** Ends every process at once. */
  killAll(): void {
    for (const part of this.#running.keys()) part.kill?.();
  }
}
