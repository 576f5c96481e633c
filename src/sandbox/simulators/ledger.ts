import { appendFileSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { makePrivate } from '../private-file.ts';

const stamp = z.object({ seq: z.int().positive(), at: z.iso.datetime() });

/** A ledger entry with its number (`seq`, from 1) and its time (`at`, ISO 8601 UTC). */
export type Stamped<E> = z.infer<typeof stamp> & E;

/**
 * An append-only JSONL file that holds a simulator's state: every change is an entry that `apply` applies, now and again at
 * the next start. One line holds all entries of a commit, so a process killed while writing never leaves half a commit.
 */
export class Ledger<E extends { type: string }> {
  readonly entries: Stamped<E>[] = [];
  readonly #file: string;
  readonly #apply: (entry: Stamped<E>) => void;

  /**
   * Opens or creates `file` and applies its entries. Removes an incomplete last line.
   * @throws ZodError or SyntaxError if a complete line is not a commit of this ledger
   */
  constructor(file: string, entry: z.ZodType<E>, apply: (entry: Stamped<E>) => void) {
    this.#file = file;
    this.#apply = apply;
    mkdirSync(dirname(file), { recursive: true });
    makePrivate(file);
    const commit = z.array(z.intersection(stamp, entry));
    for (const line of wholeLines(file)) for (const read of commit.parse(JSON.parse(line))) this.#add(read);
  }

  /** Commits the entries together, then applies them in order. */
  append(...entries: E[]): void {
    if (entries.length === 0) return;
    const at = new Date().toISOString();
    const commit = entries.map((entry, index) => ({ seq: this.entries.length + index + 1, at, ...entry }));
    appendFileSync(this.#file, `${JSON.stringify(commit)}\n`);
    for (const entry of commit) this.#add(entry);
  }

  #add(entry: Stamped<E>): void {
    this.entries.push(entry);
    this.#apply(entry);
  }
}

function wholeLines(file: string): string[] {
  const bytes = readFileSync(file);
  const end = bytes.lastIndexOf('\n') + 1;
  // The next commit would otherwise be appended to the incomplete line and be unreadable.
  if (end < bytes.length) truncateSync(file, end);
  return bytes.subarray(0, end).toString('utf8').split('\n').filter(Boolean);
}
