import { readFault, setFault, type WantedFault } from '../fault-panels.ts';

/** Sets the fault of a simulator; null clears it. */
export type SetFault = (fault: WantedFault | null) => Promise<void>;

/**
 * Lends the fault panel of a simulator to `work`. Afterwards it is set as it was before: also if `work` fails, and if the process
 * is interrupted.
 */
export async function borrowFaultPanel<Result>(simulatorUrl: string, work: (set: SetFault) => Promise<Result>): Promise<Result> {
  const before = await readFault(simulatorUrl);
  const restore = () => setFault(simulatorUrl, before);
  let isInterrupted = false;
  let lastSet = Promise.resolve();
  // One Ctrl-C arrives twice: from the terminal and from npm.
  const interrupt = (): void => {
    if (isInterrupted) return;
    isInterrupted = true;
    console.log('\nInterrupted. The warehouse is set back as it was. Orders that are under way continue.');
    // Not before a change that is still on its way.
    void lastSet.then(restore, restore).finally(() => process.exit(130));
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    return await work((fault) => {
      if (!isInterrupted) lastSet = setFault(simulatorUrl, fault);
      return lastSet;
    });
  } finally {
    await restore();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
