import { and, eq, sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { signups } from '../db/schema.ts';

export type SignupActivities = ReturnType<typeof createSignupActivities>;

/**
 * What the workflow records about a signup. Each update names the status it starts from, so that the row decides a race
 * between a deadline and a person.
 */
export function createSignupActivities({ db }: { db: Database }) {
  async function move(
    signupId: string,
    from: 'pending_verification' | 'verified' | 'trial',
    columns: Partial<typeof signups.$inferInsert>,
  ): Promise<void> {
    await db
      .update(signups)
      .set({ ...columns, updatedAt: sql`now()` })
      .where(and(eq(signups.id, signupId), eq(signups.status, from)));
  }

  async function statusOf(signupId: string) {
    const [signup] = await db.select({ status: signups.status }).from(signups).where(eq(signups.id, signupId));
    return signup?.status;
  }

  return {
    /** @returns false if the person verified at the last moment */
    async expireSignup(signupId: string): Promise<{ expired: boolean }> {
      await move(signupId, 'pending_verification', { status: 'expired' });
      return { expired: (await statusOf(signupId)) === 'expired' };
    },

    /** @param trial ms */
    async startTrial(signupId: string, trial: number): Promise<void> {
      await move(signupId, 'verified', { status: 'trial', trialEndsAt: new Date(Date.now() + trial) });
    },

    /** @returns false if the person subscribed at the last moment */
    async endTrial(signupId: string): Promise<{ ended: boolean }> {
      await move(signupId, 'trial', { status: 'ended' });
      return { ended: (await statusOf(signupId)) === 'ended' };
    },
  };
}
