/** What one check found. */
export interface Finding {
  name: string;
  /** `unknown`: not checked, because something that the check needs is missing. */
  outcome: 'ok' | 'failed' | 'unknown';
  /** What was found. Never a secret. */
  detail: string;
  /** How to fix it; null when there is nothing to fix. */
  fix: string | null;
}

/** Thrown by a check: what is wrong, and how to fix it. */
export class CheckFailed extends Error {
  override name = 'CheckFailed';
  readonly fix: string;

  constructor(detail: string, fix: string) {
    super(detail);
    this.fix = fix;
  }
}

/** Thrown when a check is not possible here. */
export class NotChecked extends Error {
  override name = 'NotChecked';
}

/** ms that one check may take */
const PATIENCE = 8_000;

/**
 * Runs one check.
 * @param look returns what it found when all is well, and otherwise throws {@link CheckFailed} or {@link NotChecked}
 * @param fix how to fix whatever else it throws
 */
export async function check(name: string, look: () => Promise<string>, fix: string): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new CheckFailed(`no answer within ${PATIENCE / 1_000} s`, fix)), PATIENCE);
  });
  try {
    return { name, outcome: 'ok', detail: await Promise.race([look(), tooLong]), fix: null };
  } catch (error) {
    if (error instanceof NotChecked) return { name, outcome: 'unknown', detail: error.message, fix: null };
    return { name, outcome: 'failed', detail: reasonOf(error), fix: error instanceof CheckFailed ? error.fix : fix };
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

/** @returns the variable's value. @throws NotChecked when it is not set */
export function variable(environment: NodeJS.ProcessEnv, name: string): string {
  const value = environment[name];
  if (!value) throw new NotChecked(`${name} is not set here`);
  return value;
}
