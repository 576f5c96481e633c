import { setTimeout as after } from 'node:timers/promises';

/** How long, in ms, a part has to answer. */
const PATIENCE = 2_000;

/** Each part's own question to itself. It rejects, or does not answer in time, when the part is not well. */
export interface Readiness {
  postgres: () => Promise<unknown>;
  temporal: () => Promise<unknown>;
}

export type PartHealth = 'ok' | 'failing' | 'not answering';

/** @returns how a part is. Why it fails is for the log, not for whoever asks. */
export async function checkPart(question: () => Promise<unknown>): Promise<PartHealth> {
  const patience = new AbortController();
  const answered = question().then(
    (): PartHealth => 'ok',
    (): PartHealth => 'failing',
  );
  const tooLate = after<PartHealth>(PATIENCE, 'not answering', { signal: patience.signal });
  try {
    return await Promise.race([answered, tooLate]);
  } finally {
    tooLate.catch(() => {});
    patience.abort();
  }
}
