import { v7 as uuid } from 'uuid';
import { describe, expect, it } from 'vitest';
import type { FailureKind, FailureStatus, OrderStatus } from '../../src/contracts/statuses.ts';
import type { FailureStory } from '../../src/queries/failures.ts';
import type { OrderStory, StepRecord } from '../../src/queries/order-story.ts';
import type { RunState } from '../../src/temporal/runs.ts';
import type { SignupStory } from '../../src/queries/signup-story.ts';
import { whyOrderWaits, whySignupWaits } from '../../src/queries/waiting.ts';

const NOON = new Date('2026-03-01T12:00:00Z');
const HOUR = 3_600_000;
const input = { policy: { approvalDeadline: 48 * HOUR, parkingDeadline: 24 * HOUR, deliveryDeadline: 2 * HOUR } };
const orderId = uuid();

function anOrder(status: OrderStatus, more: Partial<OrderStory> = {}): OrderStory {
  return {
    order: {
      id: orderId,
      owner: uuid(),
      generation: 1,
      status,
      amount: 1,
      currency: 'EUR',
      paymentMethod: 'pm_card_visa',
      customerEmail: 'ada@example.com',
      customerName: 'Ada',
      line1: '',
      city: '',
      postalCode: '',
      country: 'GB',
      approvalDecision: null,
      cancellationReason: null,
      cancellationActor: null,
      cancellationStatus: null,
      cancellationRequestedAt: null,
      cancellationSettledAt: null,
      failureType: null,
      shipmentRejectionReason: null,
      failureMessage: null,
      createdAt: NOON,
      updatedAt: NOON,
    },
    items: [],
    emailAttempts: [],
    calls: [],
    statuses: [{ id: 1, orderId, generation: 1, status, at: NOON }],
    cancellations: [],
    steps: [],
    payments: [],
    shipments: [],
    invoices: [],
    emails: [],
    commands: [],
    failures: [],
    ...more,
  };
}

const cancelling = (story: OrderStory): OrderStory => ({
  ...story,
  order: { ...story.order, cancellationStatus: 'requested', cancellationRequestedAt: NOON },
});

function aFailure(kind: FailureKind, status: FailureStatus = 'open', last: 'opened' | 'cancel_requested' = 'opened'): FailureStory {
  const id = uuid();
  return {
    failure: {
      id,
      kind,
      status,
      workflowId: `order/${orderId}`,
      runId: null,
      orderId,
      signupId: null,
      generation: 1,
      step: 'ship',
      emailKey: null,
      errorType: 'warehouse_unavailable',
      errorMessage: 'HTTP 503',
      attempts: 4,
      occurrence: 1,
      resumeStatus: null,
      firstSeenAt: NOON,
      lastSeenAt: NOON,
      nextRetryAt: null,
      closedAt: null,
      bulkActionId: null,
    },
    events: [{ id: 1, failureId: id, type: last, actor: 'holdfast', reason: '', at: NOON }],
  };
}

const saying = (errorMessage: string, { failure, ...rest }: FailureStory): FailureStory => ({ ...rest, failure: { ...failure, errorMessage } });

const aRun = (more: Partial<RunState> = {}): RunState => ({
  workflowId: `order/${orderId}`,
  runId: 'run-1',
  status: 'RUNNING',
  startedAt: NOON,
  closedAt: undefined,
  workflowTaskAttempt: 0,
  pendingActivities: [],
  ...more,
});

const retried = {
  activity: 'requestShipment',
  attempt: 3,
  maximumAttempts: 4,
  lastFailure: { type: 'warehouse_unavailable', message: 'HTTP 503' },
  nextAttemptAt: new Date('2026-03-01T12:01:00Z'),
};

const aCommand = (type: string) => ({
  id: 1,
  type,
  state: 'pending' as const,
  actor: null,
  lastError: null,
  createdAt: NOON,
  deliveredAt: null,
});

const aStep = (step: Pick<StepRecord, 'step' | 'state'> & Partial<StepRecord>): StepRecord => ({
  generation: 1,
  kind: 'step',
  attempts: 1,
  events: [],
  errorType: null,
  errorMessage: null,
  startedAt: NOON,
  finishedAt: null,
  actor: null,
  reason: null,
  ...step,
});

describe('why an order waits', () => {
  it.each<[string, string | RegExp, OrderStory, RunState?]>([
    [
      'parked',
      'The step "ship" has used up its retries (warehouse_unavailable: HTTP 503; 4 attempts). Waiting for a retry ' +
        'or a cancellation. Otherwise the order is undone at 2026-03-02 12:00 UTC.',
      anOrder('needs_attention', { failures: [aFailure('step')] }),
    ],
    [
      'an error that is a sentence, within its own',
      /\(warehouse_unavailable: No answer from the warehouse; 4 attempts\)\. Waiting/,
      anOrder('needs_attention', { failures: [saying('No answer from the warehouse.', aFailure('step'))] }),
    ],
    ['parked, with a retry requested', /retry of the step "ship" was requested/, anOrder('needs_attention', { failures: [aFailure('step', 'retrying')] })],
    ['parked, with a cancellation requested', /cancellation was requested/, anOrder('needs_attention', { failures: [aFailure('step', 'open', 'cancel_requested')] })],
    ['a failing compensation', /Undoing the step "ship" keeps failing.*settled by hand/, anOrder('compensating', { failures: [aFailure('compensation')] })],
    ['a broken run', /broken.*reset/, anOrder('charged', { failures: [aFailure('run')] })],
    ['code that fails', /code is failing: attempt 5/, anOrder('charged'), aRun({ workflowTaskAttempt: 5 })],
    ['a start that is not delivered', /Waiting to be started since 2026-03-01 12:00 UTC/, anOrder('accepted', { commands: [aCommand('start_order')] })],
    [
      'a step that is tried again',
      'Retrying "requestShipment": attempt 3 of 4, next at 2026-03-01 12:01 UTC (warehouse_unavailable: HTTP 503).',
      anOrder('charged'),
      aRun({ pendingActivities: [retried] }),
    ],
    ['an approval', 'Waiting for a person to approve it. The amount is above the threshold. Otherwise it is rejected at 2026-03-03 12:00 UTC.', anOrder('awaiting_approval')],
    [
      'a review',
      'Waiting for a person to approve it. Review: 5 declined cards in 24 hours. Otherwise it is rejected at 2026-03-03 12:00 UTC.',
      anOrder('awaiting_approval', { steps: [aStep({ step: 'reserve', state: 'done', reason: 'Review: 5 declined cards in 24 hours.' })] }),
    ],
    ...(['approve', 'reject'] as const).map((approvalDecision): [string, string, OrderStory] => [
      `a decision to ${approvalDecision} that its run has not seen yet`,
      `Somebody has decided to ${approvalDecision} it. Its run is about to act on that.`,
      { ...anOrder('awaiting_approval'), order: { ...anOrder('awaiting_approval').order, approvalDecision } },
    ]),
    ['the carrier', /Waiting for the carrier/, anOrder('fulfilling')],
    ['a late shipment', /late.*Ask the warehouse/, anOrder('fulfilling', { failures: [aFailure('late_shipment')] })],
    ['a cancellation', 'A cancellation was requested. It takes effect unless the parcel has left.', cancelling(anOrder('fulfilling'))],
    ['a cancellation while it is parked', /It takes effect unless/, cancelling(anOrder('needs_attention', { failures: [aFailure('step')] }))],
    ['a cancellation that has taken effect', 'Undoing what was done.', cancelling(anOrder('compensating'))],
    ['the delivery', /counts as delivered at 2026-03-01 14:00 UTC/, anOrder('shipped')],
  ])('explains %s', (_, sentence, story, run) => {
    expect(whyOrderWaits(story, { run, input })).toMatch(sentence);
  });

  it('explains the wait from Postgres alone when Temporal is unavailable', () => {
    const step = aStep({
      step: 'ship',
      state: 'retrying',
      attempts: 2,
      errorType: 'warehouse_unavailable',
      errorMessage: 'HTTP 503',
    });
    expect(whyOrderWaits(anOrder('charged', { steps: [step] }), {})).toBe(
      'Retrying the step "ship" after 2 attempts (warehouse_unavailable: HTTP 503).',
    );
    expect(whyOrderWaits(anOrder('awaiting_approval'), {})).toBe('Waiting for a person to approve it. The amount is above the threshold.');
  });

  it.each(['completed', 'cancelled', 'failed'] as const)('returns null for an order that is %s', (status) => {
    expect(whyOrderWaits(anOrder(status, { failures: [aFailure('email')] }), { run: aRun(), input })).toBeNull();
  });
});

const aSignup = (status: SignupStory['signup']['status'], more: Partial<SignupStory> = {}): SignupStory => ({
  signup: {
    id: uuid(),
    owner: uuid(),
    email: 'ada@example.com',
    name: 'Ada',
    status,
    verifiedAt: null,
    trialEndsAt: new Date('2026-04-01T00:00:00Z'),
    subscribedAt: null,
    createdAt: NOON,
    updatedAt: NOON,
  },
  emails: [],
  commands: [],
  failures: [],
  ...more,
});

describe('why a signup waits', () => {
  it('comes from its status and its deadlines', () => {
    const seen = { input: { policy: { verificationDeadline: 24 * HOUR } } };
    expect(whySignupWaits(aSignup('pending_verification'), seen)).toBe(
      'Waiting for the address to be verified. Otherwise it expires at 2026-03-02 12:00 UTC.',
    );
    expect(whySignupWaits(aSignup('trial'), seen)).toBe('Waiting for a subscription. The trial ends at 2026-04-01 00:00 UTC.');
    expect(whySignupWaits(aSignup('ended'), seen)).toBeNull();
    expect(whySignupWaits(aSignup('pending_verification', { commands: [aCommand('start_signup')] }), seen)).toMatch(/Waiting to be started/);
  });
});

describe('the deadlines of a run', () => {
  it('are left out when the arguments of the run do not hold them', () => {
    for (const unreadable of [undefined, { policy: 'none' }]) {
      expect(whyOrderWaits(anOrder('awaiting_approval'), { input: unreadable })).toBe('Waiting for a person to approve it. The amount is above the threshold.');
      expect(whySignupWaits(aSignup('pending_verification'), { input: unreadable })).toBe(
        'Waiting for the address to be verified.',
      );
    }
  });
});
