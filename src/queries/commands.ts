import { asc, eq, sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { commands } from '../db/schema.ts';
import type { CommandState } from '../contracts/statuses.ts';

/** A command to a workflow. Delivered ones are kept for a week. */
export interface CommandRecord {
  id: number;
  /** e.g. `start_order`, `resolve_failure` */
  type: string;
  state: CommandState;
  actor: string | null;
  lastError: string | null;
  createdAt: Date;
  deliveredAt: Date | null;
}

const textAt = (path: string) => sql<string | null>`${commands.body} #>> ${path}::text[]`;

/** @returns the commands to a workflow, oldest first */
export async function readCommandsOf(db: Pick<Database, 'select'>, workflowId: string): Promise<CommandRecord[]> {
  return await db
    .select({
      id: commands.id,
      type: sql<string>`coalesce(${textAt('{type}')}, 'unknown')`,
      state: commands.state,
      actor: textAt('{message,actor}'),
      lastError: commands.lastError,
      createdAt: commands.createdAt,
      deliveredAt: commands.deliveredAt,
    })
    .from(commands)
    .where(eq(commands.workflowId, workflowId))
    .orderBy(asc(commands.id));
}
