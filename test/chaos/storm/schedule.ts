import type { z } from 'zod';
import type { faultSchema, FaultMode } from '../../../src/sandbox/simulators/faults.ts';
import { Random } from './random.ts';

/** Every process of the storm, by its kind. */
export const PROCESSES = {
  api: ['api'],
  worker: ['worker-1', 'worker-2'],
  temporal: ['temporal'],
  postgres: ['postgres'],
  payments: ['payments'],
  warehouse: ['warehouse'],
  inbox: ['inbox'],
} as const;
export type ProcessKind = keyof typeof PROCESSES;
export type ProcessName = (typeof PROCESSES)[ProcessKind][number];
export const PROCESS_NAMES: readonly ProcessName[] = Object.values(PROCESSES).flat();

export const SIMULATORS = ['payments', 'warehouse', 'inbox'] as const;
export type SimulatorName = (typeof SIMULATORS)[number];

/** What happens to a process. `at`: ms after the start of the storm. A frozen one goes on after `forMs`. */
export type ProcessFault = { at: number; process: ProcessName } & ({ action: 'kill' } | { action: 'freeze'; forMs: number });

/** From `at` on, ms after the start, a simulator has this fault. */
export interface SimulatorFault {
  at: number;
  simulator: SimulatorName;
  fault: z.input<typeof faultSchema>;
}

/** All that goes wrong, and how long the storm lasts, in ms. */
export interface Schedule {
  processes: ProcessFault[];
  simulators: SimulatorFault[];
  lasts: number;
}

/** Which faults a storm has. By default all, alike. */
export interface Aim {
  /** The processes that are killed and frozen, once each has had its turn. */
  processes?: readonly ProcessName[] | undefined;
  /** The share of these that are killed; the others are frozen. */
  killed?: number | undefined;
  /** The modes of the simulators, and the share of requests that each affects. */
  modes?: readonly FaultMode[] | undefined;
  rate?: number | undefined;
}

const MODES: readonly FaultMode[] = ['error_before', 'error_after_commit', 'drop_after_commit', 'rate_limit', 'slow', 'down'];
const LONGEST_FREEZE = 20_000;

/**
 * Plans a storm: every 2 to 6 s a process is killed or frozen, each of them at least once, and every 1.5 to 4 s a
 * simulator gets another fault, in every mode. The same seed makes the same plan.
 * @param count how many times a process is killed or frozen
 */
export function planStorm(seed: number, count: number, aim: Aim = {}): Schedule {
  const random = new Random(seed);
  const firstRound = random.shuffle(PROCESS_NAMES);
  const frozenUntil = new Map<ProcessName, number>();
  const processes: ProcessFault[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    at += random.between(2_000, 6_000);
    const isFree = (name: ProcessName) => (frozenUntil.get(name) ?? 0) <= at;
    const process = firstRound[index] ?? random.pick((aim.processes ?? PROCESS_NAMES).filter(isFree));
    if (random.chance(aim.killed ?? 0.6)) processes.push({ at, process, action: 'kill' });
    else {
      const forMs = random.between(2_000, random.chance(0.3) ? LONGEST_FREEZE : 6_000);
      frozenUntil.set(process, at + forMs);
      processes.push({ at, process, action: 'freeze', forMs });
    }
  }
  const lasts = Math.max(at, ...frozenUntil.values());
  return { processes, simulators: planSimulatorFaults(random, lasts, aim), lasts };
}

function planSimulatorFaults(random: Random, lasts: number, { modes = MODES, rate }: Aim): SimulatorFault[] {
  const planned: SimulatorFault[] = [];
  const firstRound = random.shuffle(modes);
  for (let at = 0; at < lasts; at += random.between(1_500, 4_000)) {
    const simulator = random.pick(SIMULATORS);
    const mode = firstRound[planned.length] ?? random.pick(modes);
    const share = { rate: rate ?? random.pick([0.3, 0.5, 0.8, 1]) };
    planned.push({ at, simulator, fault: mode === 'slow' ? { mode, delayMs: random.between(200, 3_000), ...share } : { mode, ...share } });
  }
  return planned;
}
