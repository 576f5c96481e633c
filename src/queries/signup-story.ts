import { eq } from 'drizzle-orm';
import { signupWorkflowId } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { emails, signups } from '../db/schema.ts';
import { readAtOnce, readSharedStory, type SharedStory } from './story.ts';

/** Everything that is known of a signup. */
export interface SignupStory extends SharedStory {
  signup: typeof signups.$inferSelect;
}

/** @returns the story of a signup; undefined when it does not exist */
export async function readSignupStory(db: Database, id: string): Promise<SignupStory | undefined> {
  return await readAtOnce(db, async (tx) => {
    const [signup] = await tx.select().from(signups).where(eq(signups.id, id));
    return signup && { signup, ...(await readSharedStory(tx, signupWorkflowId(id), eq(emails.signupId, id))) };
  });
}
