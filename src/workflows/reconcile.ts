import { sleep } from '@temporalio/workflow';
import { BOOK_CHECKS, type BookCheckRequest, type BookPosition, type ReconcileInput } from '../contracts/books.ts';
import { books } from './activities.ts';
import { describeError } from './errors.ts';

/** Compares the books (see `reconcile/`). A check whose other side does not answer is recorded as not made. */
export async function reconcile({ scope, confirm = false }: ReconcileInput): Promise<void> {
  let confirmAfter = 0;
  for (const check of BOOK_CHECKS) confirmAfter = Math.max(confirmAfter, await compare({ check, scope }));
  if (!confirm || confirmAfter === 0) return;
  await sleep(confirmAfter, { summary: 'until what differs is old enough to be reported' });
  for (const check of BOOK_CHECKS) await compare({ check, scope: 'known' });
}

/** @returns ms until what it found is old enough to be reported */
async function compare(request: BookCheckRequest): Promise<number> {
  let position: BookPosition | undefined;
  try {
    for (;;) {
      const part = await books.compareBooks(request, position);
      if ('result' in part) return part.result.confirmAfter;
      position = part.next;
    }
  } catch (error) {
    const { errorType, errorMessage } = describeError(error);
    await books.recordUncheckedBooks(request, `${errorType}: ${errorMessage}`);
    return 0;
  }
}
