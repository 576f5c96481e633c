import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const aim = {
  rate: z.number().min(0).max(1).default(1),
  count: z.int().positive().optional(),
  operation: z.string().optional(),
};

/**
 * A fault of a simulator. `rate` is the share of requests affected, `count` how many are before it heals by itself
 * (without it: until cleared), `operation` the one route it is limited to (`POST /v1/payment_intents/:id/confirm`),
 * `delayMs` the wait of `slow` in milliseconds.
 */
export const faultSchema = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('slow'), delayMs: z.int().positive().max(600_000).default(1000), ...aim }),
  z.strictObject({
    mode: z.enum(['down', 'error_before', 'drop_after_commit', 'error_after_commit', 'rate_limit']),
    ...aim,
  }),
]);

export type Fault = z.output<typeof faultSchema>;
export type FaultMode = Fault['mode'];

export const faultModes: readonly FaultMode[] = [
  'down',
  'slow',
  'error_before',
  'drop_after_commit',
  'error_after_commit',
  'rate_limit',
];

/** The fault in force, at most one at a time. It is not kept across restarts. */
export class FaultPanel {
  #current: Fault | undefined;
  #heldUp = 0;
  readonly #operations: () => readonly string[];

  /** @param operations the routes that a fault may be limited to */
  constructor(operations: () => readonly string[] = () => []) {
    this.#operations = operations;
  }

  get current(): Fault | null {
    return this.#current ?? null;
  }

  /** How many slow requests are being served: their callers may have given up, and their keys are refused to others. */
  get heldUp(): number {
    return this.#heldUp;
  }

  /** Serves a slow request. */
  async holdUp(serve: () => Promise<void>): Promise<void> {
    this.#heldUp += 1;
    try {
      await serve();
    } finally {
      this.#heldUp -= 1;
    }
  }

  get operations(): readonly string[] {
    return this.#operations();
  }

  /** @throws ZodError when the fault is malformed or names an operation that does not exist here. */
  set(fault: z.input<typeof faultSchema>): Fault {
    return (this.#current = this.parse(fault));
  }

  /** Validates a fault from outside. @throws ZodError as `set` does. */
  parse(fault: unknown): Fault {
    return faultSchema
      .refine(({ operation }) => operation === undefined || this.operations.includes(operation), {
        path: ['operation'],
        error: `must be one of: ${this.operations.join(', ') || '(none here)'}`,
      })
      .parse(fault);
  }

  clear(): void {
    this.#current = undefined;
  }

  /** Returns the fault that this request is to suffer, if any, and counts it. Only faults of `modes` are considered. */
  take(operation: string, modes: readonly FaultMode[] = faultModes): Fault | undefined {
    const fault = this.#current;
    if (!fault || !modes.includes(fault.mode)) return undefined;
    if (fault.operation !== undefined && fault.operation !== operation) return undefined;
    if (Math.random() >= fault.rate) return undefined;
    if (fault.count !== undefined) this.#current = fault.count > 1 ? { ...fault, count: fault.count - 1 } : undefined;
    return fault;
  }
}

/**
 * Runs the part of a request that has effects under its fault: after the delay of `slow`, and with the result replaced by
 * `lost(result)` for `error_after_commit`. The other modes act at the connection, outside this.
 * @throws AbortError when `signal` aborts the delay; nothing was executed then.
 */
export async function underFault<T>(
  fault: Fault | undefined,
  signal: AbortSignal,
  work: () => T,
  lost: (result: T) => T,
): Promise<T> {
  if (fault?.mode === 'slow') await sleep(fault.delayMs, undefined, { signal });
  const result = work();
  return fault?.mode === 'error_after_commit' ? lost(result) : result;
}
