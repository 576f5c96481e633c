import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const aim = {
  rate: z.number().min(0).max(1).default(1),
  count: z.int().positive().optional(),
  operation: z.string().optional(),
};

/**
 * A fault of a simulator. Add a mode here, then say in {@link FaultPanel.apply} and {@link underFault} what it does.
 * `rate`: share of requests affected. `count`: how many requests are affected before the fault clears itself (default:
 * until cleared). `operation`: the only route affected, such as `POST /v1/payment_intents/:id/confirm`. `delayMs`: how long
 * `slow` waits, in milliseconds.
 */
export const faultSchema = z.discriminatedUnion('mode', [
  z.strictObject({
    mode: z.enum(['down', 'error_before', 'drop_after_commit', 'error_after_commit', 'rate_limit']),
    ...aim,
  }),
  z.strictObject({ mode: z.enum(['slow']), delayMs: z.int().positive().max(600_000).default(1000), ...aim }),
]);

export type Fault = z.output<typeof faultSchema>;
export type FaultMode = Fault['mode'];

/** Every mode. */
export const faultModes: readonly FaultMode[] = faultSchema.options.flatMap(({ shape }) => shape.mode.options);

/** The settings that belong to one mode only. All are numbers. */
export const modeSettings: readonly { mode: FaultMode; setting: string }[] = faultSchema.options.flatMap(({ shape }) => {
  const own = Object.keys(shape).filter((name) => name !== 'mode' && !(name in aim));
  return shape.mode.options.flatMap((mode) => own.map((setting) => ({ mode, setting })));
});

/** The error answers that a fault can give. Every protocol has its own form of each. */
export type SimulatedError = 'server_error' | 'rate_limit';

/** How a protocol applies a fault to one request. */
export interface FaultyRequest<Answer> {
  /** Serves the request. What changes state in it runs in {@link underFault}. */
  serve: () => Promise<Answer>;
  /** Drops the connection without an answer. */
  drop: () => Answer;
  fail: (error: SimulatedError, message: string) => Answer;
}

/** The current fault, at most one at a time. A restart clears it. */
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

  /** How many slow requests are in progress. Their callers may have given up, but their keys still count as in use. */
  get heldUp(): number {
    return this.#heldUp;
  }

  get operations(): readonly string[] {
    return this.#operations();
  }

  /** @throws ZodError if the fault is malformed or names an unknown operation */
  set(fault: z.input<typeof faultSchema>): Fault {
    return (this.#current = this.parse(fault));
  }

  /** Validates a fault from outside. @throws ZodError as `set` does */
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

  /** Returns the fault that applies to this request, if any, and counts it. With `only`, ignores every other mode. */
  take(operation: string, only?: FaultMode): Fault | undefined {
    const fault = this.#current;
    if (!fault || (only !== undefined && fault.mode !== only)) return undefined;
    if (fault.operation !== undefined && fault.operation !== operation) return undefined;
    if (Math.random() >= fault.rate) return undefined;
    if (fault.count !== undefined) this.#current = fault.count > 1 ? { ...fault, count: fault.count - 1 } : undefined;
    return fault;
  }

  /** Applies to a request what its fault does to the connection. */
  async apply<Answer>(fault: Fault | undefined, { serve, drop, fail }: FaultyRequest<Answer>): Promise<Answer> {
    switch (fault?.mode) {
      case 'down':
        return drop();
      case 'error_before':
        return fail('server_error', 'Simulated failure before the request was executed.');
      case 'rate_limit':
        return fail('rate_limit', 'Simulated rate limit.');
      case 'drop_after_commit':
        await serve();
        return drop();
      case 'slow':
        this.#heldUp += 1;
        return serve().finally(() => (this.#heldUp -= 1));
      case 'error_after_commit':
      case undefined:
        return serve();
    }
  }
}

/**
 * Runs the part of a request that changes state, and applies what its fault does there. For `error_after_commit`,
 * `lost(result, message)` replaces the result.
 * @throws AbortError if `signal` aborts the delay of `slow`; `work` did not run then
 */
export async function underFault<T>(
  fault: Fault | undefined,
  signal: AbortSignal,
  work: () => T,
  lost: (result: T, message: string) => T,
): Promise<T> {
  switch (fault?.mode) {
    case 'slow':
      await sleep(fault.delayMs, undefined, { signal });
      return work();
    case 'error_after_commit':
      return lost(work(), 'Simulated failure after the request was executed.');
    case 'down':
    case 'error_before':
    case 'rate_limit':
    case 'drop_after_commit':
    case undefined:
      return work();
  }
}
