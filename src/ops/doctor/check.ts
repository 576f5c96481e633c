/** What one check found. */
export interface Finding {
  name: string;
  /** `unknown`: it could not be looked at, because something that it needs is missing. */
  outcome: 'well' | 'unwell' | 'unknown';
  /** What was found, in words. Never a secret. */
  detail: string;
  /** How to mend it; null when there is nothing to mend. */
  mend: string | null;
}

/** Thrown by a check: what is wrong, and how to mend it. */
export class Unwell extends Error {
  override name = 'Unwell';
  readonly mend: string;

  constructor(detail: string, mend: string) {
    super(detail);
    this.mend = mend;
  }
}

/** Thrown by a check that cannot be made here. */
export class Unknown extends Error {
  override name = 'Unknown';
}

/** ms that one check may take */
const PATIENCE = 8_000;

/**
 * Makes one check.
 * @param look returns what it found when all is well; throws {@link Unwell} or {@link Unknown} otherwise
 * @param mend for what else it throws
 */
export async function check(name: string, look: () => Promise<string>, mend: string): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Unwell(`no answer within ${PATIENCE / 1_000} s`, mend)), PATIENCE);
  });
  try {
    return { name, outcome: 'well', detail: await Promise.race([look(), tooLong]), mend: null };
  } catch (error) {
    if (error instanceof Unknown) return { name, outcome: 'unknown', detail: error.message, mend: null };
    return { name, outcome: 'unwell', detail: reasonOf(error), mend: error instanceof Unwell ? error.mend : mend };
  } finally {
    clearTimeout(timer);
  }
}

/** A failed query's own message holds its parameters; what went wrong is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  // Several addresses were tried.
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error.message || ('code' in error ? String(error.code) : error.name);
}

/** @returns the variable's value. @throws Unknown when it is not set */
export function variable(environment: NodeJS.ProcessEnv, name: string): string {
  const value = environment[name];
  if (!value) throw new Unknown(`${name} is not set here`);
  return value;
}
