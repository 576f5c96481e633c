import { z } from '@hono/zod-openapi';
import { desc, eq, getTableColumns, type SQL } from 'drizzle-orm';
import { FAILURE_KINDS, FAILURE_STATUSES } from '../../contracts/statuses.ts';
import type { Database } from '../../db/client.ts';
import { failures } from '../../db/schema.ts';
import { notFound } from '../../intake/errors.ts';
import type { Links } from '../links.ts';
import { time } from '../schemas/common.ts';

export const failureSchema = z
  .strictObject({
    id: z.uuid(),
    kind: z.enum(FAILURE_KINDS),
    status: z.enum(FAILURE_STATUSES),
    workflowId: z.string(),
    runId: z.string().nullable(),
    orderId: z.uuid().nullable(),
    signupId: z.uuid().nullable(),
    generation: z.int().nullable(),
    step: z.string(),
    error: z.strictObject({ type: z.string(), message: z.string() }),
    attempts: z.int(),
    occurrence: z.int().openapi({ description: 'How often it was opened: 2 after a retry that failed again' }),
    firstSeenAt: time,
    lastSeenAt: time,
    nextRetryAt: time.nullable(),
    closedAt: time.nullable(),
    links: z.strictObject({
      retry: z.string(),
      cancel: z.string(),
      order: z.string().nullable(),
      workflow: z.string(),
    }),
  })
  .openapi('Failure');

export type FailureView = z.infer<typeof failureSchema>;

/** @returns failures, the newest first. */
export async function loadFailures(
  db: Database,
  links: Links,
  { where, limit }: { where: SQL | undefined; limit: number },
): Promise<FailureView[]> {
  const { resumeStatus: _, ...columns } = getTableColumns(failures);
  const rows = await db.select(columns).from(failures).where(where).orderBy(desc(failures.id)).limit(limit);
  return rows.map(({ errorType, errorMessage, ...row }) => ({
    ...row,
    error: { type: errorType, message: errorMessage },
    firstSeenAt: row.firstSeenAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    nextRetryAt: row.nextRetryAt?.toISOString() ?? null,
    closedAt: row.closedAt?.toISOString() ?? null,
    links: links.failure(row.id, row.workflowId, row.orderId),
  }));
}

/** @throws IntakeError `not_found` */
export async function loadFailure(db: Database, links: Links, id: string): Promise<FailureView> {
  const [failure] = await loadFailures(db, links, { where: eq(failures.id, id), limit: 1 });
  if (!failure) throw notFound('failure');
  return failure;
}
