import type { z } from 'zod';
import type { stormOptions } from '../storm/options.ts';

/** Replaces one piece of a source file, which must be there exactly once. */
export interface Edit {
  file: string;
  find: string;
  replace: string;
}

/** A mistake that a storm must find. */
export interface Sabotage {
  name: string;
  /** What the storm is like. It is aimed at the mistake, so that a short one finds it. */
  storm: z.input<typeof stormOptions>;
  /** Widens the moment in which the mistake shows. The code is still right: a storm over it must be green. */
  aim: readonly Edit[];
  /** The mistake itself. */
  mistake: readonly Edit[];
}

const STEPS = 'src/activities/steps.ts';
const STEP_COMMIT = 'src/activities/step-commit.ts';
const imports = (file: string, line: string, before: string): Edit => ({ file, find: before, replace: `${line}\n${before}` });
const importSleep = imports(STEPS, `import { setTimeout as sleep } from 'node:timers/promises';`, `import { ApplicationFailure, CancelledFailure } from`);

/** The mistakes, each against one of the rules that hold everything together. */
export const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'a random idempotency key for each attempt',
    storm: { orders: 30, seed: 1, aim: { modes: ['drop_after_commit', 'error_after_commit'], rate: 0.5 } },
    aim: [],
    mistake: [
      imports('src/activities/payment.ts', `import { randomUUID } from 'node:crypto';`, `import { and, eq,`),
      {
        file: 'src/activities/payment.ts',
        find: 'keySerial === 1 ? stepKey(ref, request) :',
        replace: 'keySerial === 1 ? `${stepKey(ref, request)}:${randomUUID()}` :',
      },
      imports('src/gateways/smtp.ts', `import { randomUUID } from 'node:crypto';`, `import { createHash } from`),
      { file: 'src/gateways/smtp.ts', find: '.update(key)', replace: '.update(key + randomUUID())' },
    ],
  },
  {
    name: 'a compensation that is registered after its step',
    storm: { orders: 60, seed: 2, aim: { modes: ['drop_after_commit', 'error_after_commit'], rate: 0.5 } },
    // A charge whose answer was lost waits long for its next attempt, and most customers cancel meanwhile.
    aim: [
      { file: 'test/chaos/storm/load.ts', find: `'cancels': { weight: 16,`, replace: `'cancels': { weight: 200,` },
      {
        file: 'src/contracts/retry-profiles.ts',
        find: `    heartbeatTimeout: '5s',
    retry: {
      initialInterval: '1s',
      backoffCoefficient: 2,
      maximumInterval: '5m',`,
        replace: `    heartbeatTimeout: '5s',
    retry: {
      initialInterval: '20s',
      backoffCoefficient: 1,
      maximumInterval: '20s',`,
      },
    ],
    mistake: [
      {
        file: 'src/workflows/order.ts',
        find: `    saga.compensateWith(name, undo[name]);
    return attempt(context, name, run);`,
        replace: `    return attempt(context, name, run).then(() => saga.compensateWith(name, undo[name]));`,
      },
      // Otherwise, the steps that were attempted are undone, registered or not.
      {
        file: 'src/workflows/order.ts',
        find: `alsoCompensate((await bookkeeping.beginCompensation(ref)) ?? []);`,
        replace: `await bookkeeping.beginCompensation(ref);`,
      },
    ],
  },
  {
    name: 'the effect of a step and its row in two transactions',
    storm: { orders: 60, seed: 3, aim: { processes: ['worker-1', 'worker-2', 'postgres'], killed: 1 } },
    aim: [],
    mistake: [
      imports(STEP_COMMIT, `import { setTimeout as sleep } from 'node:timers/promises';`, `import { ApplicationFailure } from`),
      {
        file: STEP_COMMIT,
        find: `  const changes = [
    sql\`finished as (\${finished} returning order_id, result, attempts)\`,`,
        replace: `  if ((await db.execute(finished)).rowCount === 0) return { isFinished: false, result: null };
  await sleep(500);
  const changes = [
    sql\`finished as (select order_id, result, attempts from \${sagaSteps} where \${isStep(row)})\`,`,
      },
    ],
  },
  {
    name: 'parking without the lock of the step',
    storm: { orders: 40, seed: 4, cancelledWhenParked: 0, aim: { modes: ['slow'], rate: 1 } },
    aim: [
      importSleep,
      // One attempt of one second: a slow warehouse makes an order park, and the late attempt commits.
      {
        file: 'src/contracts/retry-profiles.ts',
        find: `  warehouse: {
    ...WAITS_FOR_POSTGRES,
    retry: {
      initialInterval: '2s',
      backoffCoefficient: 2,
      maximumInterval: '8s',
      maximumAttempts: 4,`,
        replace: `  warehouse: {
    ...WAITS_FOR_POSTGRES,
    startToCloseTimeout: '1s',
    retry: {
      initialInterval: '2s',
      backoffCoefficient: 2,
      maximumInterval: '8s',
      maximumAttempts: 1,`,
      },
      {
        file: STEPS,
        find: `  if (state === 'done') return undefined;`,
        replace: `  if (state === 'done') return undefined;\n  await sleep(2_000);`,
      },
    ],
    mistake: [
      {
        file: STEPS,
        find: `const { state, attempts } = await lockStep(tx, row);`,
        replace: `const { state = 'running', attempts = 0 } = (await findStep(tx, row)) ?? {};`,
      },
    ],
  },
];
