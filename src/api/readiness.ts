import { setTimeout as after } from 'node:timers/promises';

/** ms that a part has to answer. */
const PATIENCE = 2_000;

/** A check for each part. It rejects, or does not answer in time, when the part is failing. */
export interface Readiness {
  postgres: () => Promise<unknown>;
  temporal: () => Promise<unknown>;
}

export type PartHealth = 'ok' | 'failing' | 'not answering';

/** @returns the health of a part. Why it is failing is for the log, not for the caller. */
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
