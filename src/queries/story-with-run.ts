import type { Client } from '@temporalio/client';
import { orderWorkflowId, signupWorkflowId } from '../contracts/ids.ts';
import { notFound } from '../contracts/request-error.ts';
import type { Database } from '../db/client.ts';
import { askTemporal, type TemporalHealth } from '../temporal/availability.ts';
import { describeRun, readRunInput, type RunState } from '../temporal/runs.ts';
import { readFailure, type FailureStory } from './failures.ts';
import { readOrderStory, type OrderStory } from './order-story.ts';
import { readSignupStory, type SignupStory } from './signup-story.ts';
import { whyOrderWaits, whySignupWaits, type Seen } from './waiting.ts';

/** A story, with what its run is doing now. */
export interface StoryWithRun<Story> {
  story: Story;
  /** `unavailable`: Temporal did not answer, so `run` is null. */
  temporal: TemporalHealth;
  run: RunState | null;
  /** A sentence that says what it is waiting for; null when it has ended. */
  waitingFor: string | null;
}

interface Sources {
  db: Database;
  temporal: Client;
}

/** @returns the story of an order with what Temporal knows of its run. @throws RequestError `not_found` */
export async function loadOrderStory({ db, temporal }: Sources, id: string): Promise<StoryWithRun<OrderStory>> {
  const story = await readOrderStory(db, id);
  if (!story) throw notFound('order');
  return await load(temporal, orderWorkflowId(id), story, whyOrderWaits);
}

/** @returns the story of a signup with what Temporal knows of its run. @throws RequestError `not_found` */
export async function loadSignupStory({ db, temporal }: Sources, id: string): Promise<StoryWithRun<SignupStory>> {
  const story = await readSignupStory(db, id);
  if (!story) throw notFound('signup');
  return await load(temporal, signupWorkflowId(id), story, whySignupWaits);
}

async function load<Story>(
  client: Client,
  workflowId: string,
  story: Story,
  whyItWaits: (story: Story, seen: Seen) => string | null,
): Promise<StoryWithRun<Story>> {
  const { temporal, answer } = await askTemporal(client, async () => {
    const [run, input] = await Promise.all([describeRun(client, workflowId), readRunInput(client, workflowId)]);
    return { run, input };
  });
  return { story, temporal, run: answer?.run ?? null, waitingFor: whyItWaits(story, answer ?? {}) };
}

/** A failure, with what its run is doing now. */
export interface FailureWithRun extends FailureStory {
  temporal: TemporalHealth;
  /** null when Temporal is away or does not know the run */
  run: RunState | null;
}

/** @returns a failure with what Temporal knows of its run. @throws RequestError `not_found` */
export async function loadFailureStory({ db, temporal: client }: Sources, id: string): Promise<FailureWithRun> {
  const found = await readFailure(db, id);
  if (!found) throw notFound('failure');
  const { temporal, answer } = await askTemporal(client, () => describeRun(client, found.failure.workflowId));
  return { ...found, temporal, run: answer ?? null };
}
