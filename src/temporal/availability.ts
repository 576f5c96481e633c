import { status } from '@grpc/grpc-js';
import { isGrpcServiceError, ServiceError, type Client } from '@temporalio/client';

/** gRPC codes that say nothing about the request: Temporal is away, busy or limiting us. */
const AWAY = new Set([
  status.CANCELLED,
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.INTERNAL,
  status.UNAVAILABLE,
]);

/** @returns whether an error means that Temporal could not serve us now, as opposed to a request that is wrong. */
export function isTemporalUnavailable(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) && AWAY.has(cause.code);
}

/** ms that a person waits for Temporal before the answer is given without it. */
const PATIENCE = 2_000;

export type TemporalHealth = 'ok' | 'unavailable';

/** What Temporal answered, or that it did not. */
export type TemporalAnswer<Answer> = { temporal: 'ok'; answer: Answer } | { temporal: 'unavailable'; answer: null };

/** Asks Temporal something within a bounded time. @throws what `question` throws, also a gRPC error when Temporal is away */
export async function callTemporal<Answer>(client: Client, question: () => Promise<Answer>): Promise<Answer> {
  return await client.withDeadline(Date.now() + PATIENCE, question);
}

/** Asks Temporal something that the caller can do without while Temporal is away. */
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
