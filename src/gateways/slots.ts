interface Patience {
  /** Aborted if nobody waits any more. */
  signal?: AbortSignal | undefined;
  /** ms to wait in line. Default: as long as it takes. */
  longest?: number | undefined;
}

/**
 * Lets so many through at once. The others wait in line; whoever is no longer waited for, or has waited too long, leaves it.
 * @returns a function that waits for a slot, and returns how to give it back. It throws an error to whoever has left the line
 */
export function createSlots(count: number): (patience?: Patience) => Promise<() => void> {
  let free = count;
  const line = new Set<() => void>();

  function giveBack(): void {
    const [next] = line;
    if (!next) free += 1;
    else next();
  }

  const standInLine = ({ signal, longest }: Patience): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = longest === undefined ? undefined : setTimeout(() => leave(), longest);
      const stopWaiting = () => {
        line.delete(enter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', leave);
      };
      const leave = () => {
        stopWaiting();
        reject(new Error('left the line'));
      };
      const enter = () => {
        stopWaiting();
        resolve();
      };
      line.add(enter);
      signal?.addEventListener('abort', leave, { once: true });
    });

  return async function take(patience = {}) {
    patience.signal?.throwIfAborted();
    if (free > 0) free -= 1;
    else await standInLine(patience);
    return giveBack;
  };
}
