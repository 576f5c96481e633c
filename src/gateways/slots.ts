/**
 * Lets so many through at once. The others wait in line; whoever is no longer waited for leaves it.
 * @returns a function that waits for a slot, and returns how to give it back. It throws the reason of an aborted `signal`
 */
export function createSlots(count: number): (signal?: AbortSignal) => Promise<() => void> {
  let free = count;
  const line = new Set<() => void>();

  function giveBack(): void {
    const [next] = line;
    if (!next) free += 1;
    else next();
  }

  return async function take(signal) {
    signal?.throwIfAborted();
    if (free > 0) free -= 1;
    else {
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          line.delete(enter);
          reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
        };
        const enter = () => {
          line.delete(enter);
          signal?.removeEventListener('abort', leave);
          resolve();
        };
        line.add(enter);
        signal?.addEventListener('abort', leave, { once: true });
      });
    }
    return giveBack;
  };
}
