import type { Client } from '@temporalio/client';
import { isTemporalUnavailable } from '../intake/temporal-availability.ts';

/** How long, in ms, a person waits for Temporal before they are told without it. */
const PATIENCE = 2_000;

/** What Temporal said, or that it did not. */
export type TemporalAnswer<Answer> = { temporal: 'ok'; answer: Answer } | { temporal: 'unavailable'; answer: null };

/** Asks something of Temporal within a bounded time. @throws what `question` does, a gRPC error when Temporal is away included */
export async function callTemporal<Answer>(client: Client, question: () => Promise<Answer>): Promise<Answer> {
  return await client.withDeadline(Date.now() + PATIENCE, question);
}

/** Asks something of Temporal that can be done without: when it is away, that is the answer. */
export async function askTemporal<Answer>(
  client: Client,
  question: () => Promise<Answer>,
): Promise<TemporalAnswer<Answer>> {
  try {
    return { temporal: 'ok', answer: await callTemporal(client, question) };
  } catch (error) {
    if (isTemporalUnavailable(error)) return { temporal: 'unavailable', answer: null };
    throw error;
  }
}
