import { status } from '@grpc/grpc-js';
import { isGrpcServiceError, ServiceError, type Client } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';

/**
 * What the failure of a call says. `refused`: Temporal takes nothing from us, because our credentials or our namespace are
 * wrong. `away`: it is down, busy or limiting us. `failing`: it failed inside, perhaps on this request only. `invalid`: the
 * request itself is wrong.
 */
export type TemporalTrouble = 'refused' | 'away' | 'failing' | 'invalid';

const TROUBLES: Partial<Record<status, TemporalTrouble>> = {
  [status.UNAUTHENTICATED]: 'refused',
  [status.PERMISSION_DENIED]: 'refused',
  [status.CANCELLED]: 'away',
  [status.DEADLINE_EXCEEDED]: 'away',
  [status.RESOURCE_EXHAUSTED]: 'away',
  [status.ABORTED]: 'away',
  [status.UNAVAILABLE]: 'away',
  [status.UNKNOWN]: 'failing',
  [status.INTERNAL]: 'failing',
};

/** @returns what the error of a call to Temporal says */
export function diagnose(error: unknown): TemporalTrouble {
  if (error instanceof NamespaceNotFoundError) return 'refused';
  const cause = error instanceof ServiceError ? error.cause : error;
  return (isGrpcServiceError(cause) && TROUBLES[cause.code]) || 'invalid';
}

/** @returns whether an error means that Temporal could not serve us now, as opposed to a request that is wrong. */
export const isTemporalUnavailable = (error: unknown): boolean => diagnose(error) !== 'invalid';

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
