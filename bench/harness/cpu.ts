import { readFile } from 'node:fs/promises';

/** Clock ticks per second in /proc, the same on every Linux. */
const TICKS = 100;

/** @returns the seconds of CPU that a process has used so far, in all its threads */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
