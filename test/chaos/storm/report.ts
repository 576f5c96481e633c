import { orders } from '../../../src/db/schema.ts';
import { PROCESSES } from './schedule.ts';
import type { Aftermath } from './storm.ts';

/** @returns what a storm did and what became of it, as lines for people */
export async function reportOn({ schedule, db, retries, cancelledWhenParked, settled, took, duringStorm, afterStorm }: Aftermath) {
  const kinds = Object.entries(PROCESSES).map(([kind, names]) => {
    const faults = schedule.processes.filter(({ process }) => names.some((name) => name === process));
    const killed = faults.filter(({ action }) => action === 'kill').length;
    return `${kind} ${killed}+${faults.length - killed}`;
  });
  const modes = countBy(schedule.simulators.map(({ fault }) => fault.mode));
  const ends = countBy((await db.select({ status: orders.status }).from(orders)).map(({ status }) => status));
  const times = Object.entries(took).map(([name, ms]) => `${name} ${(ms / 1_000).toFixed(0)} s`);
  return [
    `  processes killed+frozen: ${kinds.join(', ')} (${schedule.processes.length} in all)`,
    `  faults of simulators:    ${modes}`,
    `  orders:                  ${duringStorm.length} during the storm, ${afterStorm.length} after it; ${ends}`,
    `  operators:               ${retries} retries, ${cancelledWhenParked.size} cancelled, ${settled.size} settled by hand`,
    `  time:                    ${times.join(', ')}`,
  ];
}

function countBy(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([word, count]) => `${word} ${count}`)
    .join(', ');
}
