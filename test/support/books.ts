import type { Client } from '@temporalio/client';
import { and, eq } from 'drizzle-orm';
import { expect, vi } from 'vitest';
import { BOOK_CHECKS, type BookCheck, type BookScope } from '../../src/contracts/books.ts';
import { differences } from '../../src/db/schema.ts';
import { PAGE, type Check, type Difference } from '../../src/reconcile/check.ts';
import { createChecks, type Sides } from '../../src/reconcile/checks.ts';
import { createReconciler } from '../../src/reconcile/reconciler.ts';
import type { Shop } from './shop.ts';

/** What the books are compared with: a shop, or the parts of one. */
export type BooksOf = Pick<Shop, 'db' | 'gateways'>;

const sidesOf = ({ db, gateways: { payments, warehouse } }: BooksOf, client: Client): Sides => ({ db, client, payments, warehouse });

/** In ms: what is still on its way arrives, and the list of runs catches up. */
const PATIENTLY = { timeout: 60_000, interval: 500 };

/**
 * Fails unless everything in Postgres, Temporal, at the payment provider and in the warehouse agrees, once what is under
 * way has been finished.
 * @param client of the namespace in which the shop works
 */
export async function expectBooksBalanced(shop: BooksOf, client: Client): Promise<void> {
  const checks = createChecks(sidesOf(shop, client));
  await expect
    .poll(async () => {
      const found: Record<string, Difference[]> = {};
      for (const name of BOOK_CHECKS) {
        const different = await compareAll(checks[name]);
        if (different.length > 0) found[name] = different;
      }
      return found;
    }, { ...PATIENTLY, message: 'differences in the books' })
    .toEqual({});
}

/** @returns everything that differs now */
async function compareAll(check: Check): Promise<Difference[]> {
  const suspects = new Set<string>();
  for (const source of check.sources) {
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await source({ from: undefined, until: new Date() }, after);
      for (const suspect of page.suspects) suspects.add(suspect);
      after = page.next;
    }
  }
  const found: Difference[] = [];
  const subjects = [...suspects];
  for (let start = 0; start < subjects.length; start += PAGE) found.push(...(await check.compare(subjects.slice(start, start + PAGE))));
  return found;
}

/** Makes the checks of a shop, one at a time. @param grace ms that a difference may last */
export function createBookkeeper(shop: BooksOf, client: Client, grace = 0) {
  const { db } = shop;
  const reconciler = createReconciler({ ...sidesOf(shop, client), grace });

  /** Makes one check from beginning to end. */
  async function check(name: BookCheck, scope: BookScope = 'everything'): Promise<void> {
    for (let position: Parameters<typeof reconciler.compare>[1], more = true; more; ) {
      const part = await reconciler.compare({ check: name, scope }, position, () => {});
      more = 'next' in part;
      position = 'next' in part ? part.next : undefined;
    }
  }

  const known = (name: BookCheck, subject: string) =>
    db.select().from(differences).where(and(eq(differences.check, name), eq(differences.subject, subject)));

  return {
    check,

    /** Checks until a difference is seen: the list of runs is a little behind. */
    expectDifference: (name: BookCheck, subject: string, columns: object, scope?: BookScope) =>
      vi.waitFor(async () => {
        await check(name, scope);
        expect(await known(name, subject)).toMatchObject([columns]);
      }, SOON),

    /** Looks again until a difference is gone. */
    expectEqual: (name: BookCheck, subject: string) =>
      vi.waitFor(async () => {
        await check(name, 'known');
        expect(await known(name, subject)).toEqual([]);
      }, SOON),
  };
}

const SOON = { timeout: 20_000, interval: 200 };
