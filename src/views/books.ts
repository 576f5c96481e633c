import { z } from '@hono/zod-openapi';
import { BOOK_CHECKS, BOOK_FIXES, BOOK_SCOPES, BOOK_SIDES } from '../contracts/books.ts';
import type { Books, KnownDifference } from '../queries/books.ts';
import { time } from './common.ts';

const runSchema = z
  .strictObject({
    scope: z.enum(BOOK_SCOPES),
    startedAt: time,
    finishedAt: time,
    compared: z.int(),
    error: z.string().nullable().openapi({ description: 'Why it could not be made, e.g. because the other side did not answer' }),
  })
  .openapi('BookRun');

const differenceSchema = z
  .strictObject({
    check: z.enum(BOOK_CHECKS),
    subject: z.string(),
    what: z.string().openapi({ example: 'run_missing' }),
    ours: z.string().openapi({ description: 'What the first side says' }),
    theirs: z.string().openapi({ description: 'What the second side says' }),
    fix: z.enum(BOOK_FIXES).nullable().openapi({ description: 'How an operator can make them equal, where it is certain which side is right' }),
    orderId: z.uuid().nullable(),
    signupId: z.uuid().nullable(),
    generation: z.int().nullable(),
    firstSeenAt: time,
    lastSeenAt: time,
    failureId: z.uuid().nullable().openapi({ description: 'The failure that reports it; null while it is young' }),
  })
  .openapi('BookDifference');

export const booksSchema = z.strictObject({
  checks: z.array(
    z
      .strictObject({
        check: z.enum(BOOK_CHECKS),
        sides: z.strictObject({ ours: z.string(), theirs: z.string() }),
        runs: z.array(runSchema).openapi({ description: 'The last run of each scope' }),
        differences: z.int(),
      })
      .openapi('BookCheck'),
  ),
  differences: z.array(differenceSchema).openapi({ description: 'The oldest first' }),
});

const differenceView = ({ firstSeenAt, lastSeenAt, ...row }: KnownDifference): z.infer<typeof differenceSchema> => ({
  ...row,
  firstSeenAt: firstSeenAt.toISOString(),
  lastSeenAt: lastSeenAt.toISOString(),
});

/** @returns the books as API and command line show them */
export const booksView = ({ checks, differences }: Books): z.infer<typeof booksSchema> => ({
  checks: checks.map(({ runs, ...state }) => ({
    ...state,
    sides: BOOK_SIDES[state.check],
    runs: runs.map(({ scope, compared, error, startedAt, finishedAt }) => ({
      scope,
      startedAt: startedAt.toISOString(),
      finishedAt: finishedAt.toISOString(),
      compared,
      error,
    })),
  })),
  differences: differences.map(differenceView),
});
