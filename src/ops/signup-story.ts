import type { Client } from '@temporalio/client';
import { asc, eq } from 'drizzle-orm';
import { signupWorkflowId } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { emails, signups } from '../db/schema.ts';
import { readCommandsOf, type CommandRecord } from './commands.ts';
import { readFailuresOf, type FailureStory } from './failures.ts';
import type { EmailRecord } from './order-story.ts';
import { describeRun, readRunInput, type RunState } from './runs.ts';
import { askTemporal } from './temporal.ts';
import { signupDeadlines, whySignupWaits } from './waiting.ts';

/** Everything that is known of a signup; each list the oldest first. */
export interface SignupStory {
  signup: typeof signups.$inferSelect;
  emails: EmailRecord[];
  commands: CommandRecord[];
  failures: FailureStory[];
}

/** @returns the story of a signup, all of it as of one moment; undefined when there is no such signup */
export async function readSignupStory(db: Database, id: string): Promise<SignupStory | undefined> {
  const read = async (tx: Pick<Database, 'select'>): Promise<SignupStory | undefined> => {
    const [signup] = await tx.select().from(signups).where(eq(signups.id, id));
    if (!signup) return undefined;
    return {
      signup,
      emails: await tx
        .select({ template: emails.template, subject: emails.subject, recipient: emails.recipient, sentAt: emails.sentAt })
        .from(emails)
        .where(eq(emails.signupId, id))
        .orderBy(asc(emails.sentAt)),
      commands: await readCommandsOf(tx, signupWorkflowId(id)),
      failures: await readFailuresOf(tx, signupWorkflowId(id)),
    };
  };
  return await db.transaction(read, { isolationLevel: 'repeatable read', accessMode: 'read only' });
}

/** The story of a signup with what its run is doing now. */
export interface ToldSignup {
  story: SignupStory;
  /** `unavailable`: Temporal did not answer, and `run` is null for that reason. */
  temporal: 'ok' | 'unavailable';
  run: RunState | null;
  /** A sentence that says what the signup waits for; null when it has ended. */
  waitingFor: string | null;
}

/** @returns the story of a signup with what Temporal knows of its run; undefined when there is no such signup */
export async function tellSignup({ db, client }: { db: Database; client: Client }, id: string): Promise<ToldSignup | undefined> {
  const story = await readSignupStory(db, id);
  if (!story) return undefined;
  const workflowId = signupWorkflowId(id);
  const { temporal, answer } = await askTemporal(client, async () => {
    const [run, input] = await Promise.all([describeRun(client, workflowId), readRunInput(client, workflowId)]);
    return { run, deadlines: signupDeadlines(input) };
  });
  const waitingFor = whySignupWaits(story, { run: answer?.run, deadlines: answer?.deadlines });
  return { story, temporal, run: answer?.run ?? null, waitingFor };
}
