import { eq, sql } from 'drizzle-orm';
import { SERVICES, type Service } from '../contracts/health.ts';
import type { Database } from '../db/client.ts';
import { serviceProbes } from '../db/schema.ts';
import type { Logger } from '../log.ts';
import { repeat, type Repeated } from '../repeat.ts';
import { ProbeFailedError, type Probe } from './probes.ts';

interface ProberOptions {
  db: Database;
  log: Logger;
  probes: Record<Service, Probe>;
  /** ms between two probes of a service, however many workers there are */
  every?: number;
}

/** A warehouse that is down parks orders after 14 seconds (see `contracts/retry-profiles.ts`). */
const EVERY = 15_000;

/** Probes the outside services, and records what came of it. Every worker has a prober; they take turns. */
export function startProber({ db, log, probes, every = EVERY }: ProberOptions): Repeated {
  return repeat({ every, log, failed: 'health not recorded' }, async (signal) => {
    const due = await claimDue(db, every);
    await Promise.all(
      due.map(async (service) => {
        const error = await errorOf(probes[service], signal);
        // A probe that was cut short says nothing about the service.
        if (!signal.aborted) await record(db, service, error);
      }),
    );
  });
}

/** Claims the services whose turn it is. If this process dies now, another one probes them next time. */
async function claimDue(db: Database, every: number): Promise<Service[]> {
  const nextProbeAt = sql`now() + ${every} * interval '1 ms'`;
  const claimed = await db
    .insert(serviceProbes)
    .values(SERVICES.map((service) => ({ service, nextProbeAt })))
    .onConflictDoUpdate({ target: serviceProbes.service, set: { nextProbeAt }, setWhere: sql`${serviceProbes.nextProbeAt} <= now()` })
    .returning({ service: serviceProbes.service });
  return claimed.map(({ service }) => service);
}

/** @returns what a probe found wrong; undefined when it found nothing */
async function errorOf(probe: Probe, signal: AbortSignal): Promise<string | undefined> {
  try {
    await probe(signal);
    return undefined;
  } catch (error) {
    return error instanceof ProbeFailedError ? error.message : 'the probe failed';
  }
}

async function record(db: Database, service: Service, error: string | undefined): Promise<void> {
  await db
    .update(serviceProbes)
    .set(
      error === undefined
        ? { lastSuccessAt: sql`now()`, answeringSince: sql`coalesce(${serviceProbes.answeringSince}, now())` }
        : { lastFailureAt: sql`now()`, answeringSince: null, lastError: error },
    )
    .where(eq(serviceProbes.service, service));
}
