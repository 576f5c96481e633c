import { asc, type SQL } from 'drizzle-orm';
import type { Database, Transaction } from '../db/client.ts';
import { emails } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { readCommandsOf, type CommandRecord } from './commands.ts';
import { readFailuresOf, type FailureStory } from './failures.ts';

/** An email that was sent or suppressed. */
export type EmailRecord = Pick<typeof emails.$inferSelect, 'template' | 'status' | 'subject' | 'recipient' | 'sentAt'>;

/** What the stories of orders and signups share. Each list is oldest first. */
export interface SharedStory {
  emails: EmailRecord[];
  commands: CommandRecord[];
  failures: FailureStory[];
}

/** @returns who acted in a story, by its commands and failures */
export const actorsIn = ({ commands, failures }: SharedStory): (string | null)[] =>
  [...commands, ...failures.flatMap(({ events }) => events)].map(({ actor }) => actor);

/** @param isAbout selects the emails */
export async function readSharedStory(tx: Transaction, workflowId: string, isAbout: SQL): Promise<SharedStory> {
  return {
    emails: await tx
      .select({
        template: emails.template,
        status: emails.status,
        subject: emails.subject,
        recipient: emails.recipient,
        sentAt: emails.sentAt,
      })
      .from(emails)
      .where(isAbout)
      .orderBy(asc(emails.sentAt)),
    commands: await readCommandsOf(tx, workflowId),
    failures: await readFailuresOf(tx, workflowId),
  };
}

/** Reads everything as of one moment, so that the parts agree with each other. */
export const readAtOnce = <Result>(db: Database, read: (tx: Transaction) => Promise<Result>): Promise<Result> =>
  transaction(db, read, { isolationLevel: 'repeatable read', accessMode: 'read only' });

