import { readFile } from 'node:fs/promises';
import { withDescendants } from '../../test/support/signals.ts';

/** Clock ticks per second in /proc, the same on every Linux. */
const TICKS = 100;

/** @returns the seconds of CPU that a process has used so far, in all its threads */
export async function cpuSeconds(pid: number): Promise<number> {
  const { own } = await readCpu(pid);
  return own;
}

/** @returns the seconds of CPU that a process and all that it has started have used so far. A child that has ended counts, too */
export async function cpuSecondsWithChildren(pid: number): Promise<number> {
  const { ofEnded } = await readCpu(pid);
  // One may end before it is read.
  const living = await Promise.all(withDescendants(pid).map((each) => cpuSeconds(each).catch(() => 0)));
  return living.reduce((sum, seconds) => sum + seconds, ofEnded);
}

/** Reads `/proc/<pid>/stat` (proc_pid_stat(5)): utime and stime, and the same of children that have ended. */
async function readCpu(pid: number): Promise<{ own: number; ofEnded: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [utime, stime, childrenUtime, childrenStime] = fields.slice(11, 15).map((ticks) => Number(ticks) / TICKS);
  return { own: (utime ?? 0) + (stime ?? 0), ofEnded: (childrenUtime ?? 0) + (childrenStime ?? 0) };
}
