import { DatabaseError } from 'pg';

/** @returns whether a statement failed because of a constraint. @param constraint its name */
export function violates(error: unknown, constraint: string): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof DatabaseError && current.constraint === constraint) return true;
  }
  return false;
}
