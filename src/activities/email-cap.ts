import { and, sql, type SQL, type SQLWrapper } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { emails, isCappedEmail } from '../db/schema.ts';

/** Whether an email was sent to an address in the last 24 hours and counts. */
const isRecentTo = (address: SQLWrapper | string) =>
  and(sql`lower(recipient) = lower(${address})`, sql`sent_at > now() - interval '24 hours'`, isCappedEmail);

/**
 * The cap on emails to one address within 24 hours, so that no one can flood a stranger with them. It is about those that cost
 * their cause nothing (`CAPPED_TEMPLATES`), unless the order was paid for: a person must get those.
 *
 * One process never exceeds it. Of several, each does not know what the others are sending at the moment.
 * @param limit `off` for load tests
 */
export function createEmailCap(db: Database, limit: number | 'off') {
  /** The keys of the emails that are being sent to each address. */
  const underWay = new Map<string, Set<string>>();

  return {
    /** @param address a column @returns how many emails it has had lately; null without a cap. Counting stops at the cap */
    recentTo: (address: SQLWrapper): SQL<number | null> =>
      limit === 'off'
        ? sql`null::int`
        : sql`(select count(*)::int from (select from ${emails} where ${isRecentTo(address)} limit ${limit}) as recent)`,

    /**
     * Sends an email, unless its address has had enough of them.
     * @param recent as `recentTo` says; null for an email that the cap is not about
     * @returns whether it was sent
     */
    async unlessReached(
      { key, recipient }: { key: string; recipient: string },
      recent: number | null,
      send: () => Promise<void>,
    ): Promise<boolean> {
      if (recent === null || limit === 'off') {
        await send();
        return true;
      }
      const address = recipient.toLowerCase();
      const sending = underWay.get(address) ?? new Set();
      const earlier = Array.from(sending);
      underWay.set(address, sending.add(key));
      try {
        // Only the first email of the day needs no second look: others may have been sent since the first one.
        const isFirst = recent + earlier.length === 0;
        const sent = isFirst ? [] : await db.select({ key: emails.key }).from(emails).where(isRecentTo(recipient)).limit(limit);
        if (new Set([...earlier, ...sent.map((email) => email.key)]).size >= limit) return false;
        await send();
        return true;
      } finally {
        sending.delete(key);
        if (underWay.get(address)?.size === 0) underWay.delete(address);
      }
    },
  };
}
