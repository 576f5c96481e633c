import type { Context, Hono } from 'hono';
import { orderWorkflowId } from '../../../contracts/ids.ts';
import { formatMoney } from '../../../contracts/money.ts';
import { CANCELLABLE_ORDER_STATUSES, FINAL_ORDER_STATUSES } from '../../../contracts/statuses.ts';
import { notFound } from '../../../intake/errors.ts';
import { tellOrder, type OrderStory, type StepRecord, type ToldOrder } from '../../order-story.ts';
import type { PageDependencies, PageEnv, Session } from '../environment.ts';
import { number, plural, shortId, Time, words } from '../format.tsx';
import { ActionForm, Choice } from '../forms.tsx';
import { Empty, Facts, PageHead, Panel, Region, Table, type Regions } from '../layout.tsx';
import { streamUpdates } from '../live.ts';
import { Pending } from '../pending.tsx';
import { pathId, respond } from '../respond.tsx';
import { Status } from '../status.tsx';
import { Timeline, Waiting } from '../timeline.tsx';
import { orderTimeline } from './timeline.ts';

/** One order: its whole story, why it waits, and what can be done about it. */
export function orderPage(app: Hono<PageEnv>, deps: PageDependencies): void {
  app.get('/orders/:id', async (c) => {
    const told = await read(c);
    const { order, items } = told.story;
    const regions = regionsOf(told, c.var.session);
    return respond(c, deps, {
      title: `Order ${shortId(order.id)}`,
      section: '/ops/orders',
      live: `/ops/orders/${order.id}/live`,
      children: (
        <>
          <PageHead title={`Order ${shortId(order.id)}`}>
            <p class="hint">
              <code>{order.id}</code> · <a href={deps.runUrl(orderWorkflowId(order.id))}>run in the Temporal Web UI</a>
            </p>
          </PageHead>
          <Region id="standing" of={regions} />
          <Region id="actions" of={regions} />
          <Panel title="Steps" id="steps">
            <Region id="steps-now" of={regions} />
          </Panel>
          <Panel title="What is pending" id="pending">
            <Region id="pending-now" of={regions} />
          </Panel>
          <Panel title="Money" id="money">
            <Region id="money-now" of={regions} />
          </Panel>
          <Panel title="What happened" id="story" note={<span class="hint">Times are UTC.</span>}>
            <Region id="story-now" of={regions} />
          </Panel>
          <Panel title="What was ordered" id="items">
            <Table label="Items" columns={['Item', 'Quantity', 'Each']}>
              {items.map(({ sku, name, quantity, unitAmount }) => (
                <tr>
                  <th scope="row">
                    {name} <code>{sku}</code>
                  </th>
                  <td data-label="Quantity" class="number">
                    {number(quantity)}
                  </td>
                  <td data-label="Each" class="number">
                    {formatMoney(unitAmount, order.currency)}
                  </td>
                </tr>
              ))}
            </Table>
            <Facts
              of={[
                ['Customer', `${order.customerName}, ${order.customerEmail}`],
                ['Address', `${order.line1}, ${order.postalCode} ${order.city}, ${order.country}`],
                ['Payment method', order.paymentMethod],
              ]}
            />
          </Panel>
        </>
      ),
    });
  });

  app.get('/orders/:id/live', (c) => {
    const { session } = c.var;
    return streamUpdates(c, {
      every: 1_000,
      stopping: deps.stopping,
      read: async () => {
        const told = await read(c);
        const announcement = `The order is ${words(told.story.order.status)}.`;
        return { regions: regionsOf(told, session), announcement, done: false };
      },
    });
  });

  async function read(c: Context<PageEnv>): Promise<ToldOrder> {
    const told = await tellOrder({ db: deps.db, client: deps.temporal }, pathId(c, 'order'));
    if (!told) throw notFound('order');
    return told;
  }
}

const regionsOf = (told: ToldOrder, session: Session): Regions => ({
  standing: <Standing told={told} />,
  actions: <Actions story={told.story} session={session} />,
  'steps-now': <Steps steps={told.story.steps} />,
  'pending-now': <Pending {...told} />,
  'money-now': <Money story={told.story} />,
  'story-now': <Timeline moments={orderTimeline(told.story)} />,
});

const Standing = ({ told: { story, waitingFor } }: { told: ToldOrder }) => {
  const { order, failures } = story;
  const open = failures.filter(({ failure }) => failure.status === 'open');
  return (
    <>
      <Waiting sentence={waitingFor} />
      <Facts
        of={[
          ['Status', <Status of={order.status} />],
          ['Amount', formatMoney(order.amount, order.currency)],
          ['Placed', <Time at={order.createdAt} exact />],
          ['Moved', <Time at={order.updatedAt} />],
          ['Generation', number(order.generation)],
          ...(order.failureType ? [because(order.failureType, order.failureMessage)] : []),
          ...(order.cancellationReason ? [cancelledFor(order.cancellationReason)] : []),
          [
            'Failures',
            open.length === 0 ? (
              'none open'
            ) : (
              <>
                {open.map(({ failure: { id, kind, step } }) => (
                  <a href={`/ops/failures/${id}`}>
                    {words(kind)}: {words(step)}
                  </a>
                ))}
              </>
            ),
          ],
        ]}
      />
    </>
  );
};

const because = (type: string, message: string | null): [string, string] => ['Because', `${words(type)}: ${message ?? ''}`];
const cancelledFor = (reason: string): [string, string] => ['Cancellation', reason];

/** Only what the order's state allows is offered. */
const Actions = ({ story: { order, failures }, session }: { story: OrderStory; session: Session }) => {
  const to = (action: string) => `/ops/orders/${order.id}/${action}`;
  const parked = failures.find(({ failure }) => failure.kind === 'step' && failure.status === 'open')?.failure;
  const offers = [
    parked ? (
      <a class="button primary" href={`/ops/failures/${parked.id}`}>
        Retry or cancel the failed step
      </a>
    ) : null,
    order.status === 'awaiting_approval' && order.approvalDecision === null ? (
      <ActionForm session={session} action={to('decide')} verb="Decide" about="The first decision counts.">
        <Choice
          label="Decision"
          name="decision"
          value={undefined}
          options={[
            { value: 'approve', label: 'approve: it is charged and goes on' },
            { value: 'reject', label: 'reject: it ends, with nothing charged' },
          ]}
        />
      </ActionForm>
    ) : null,
    order.status === 'failed' ? (
      <ActionForm
        session={session}
        action={to('replay')}
        verb="Replay"
        about="Starts the order anew, as its next generation. Refused while money of an earlier one is not given back."
      />
    ) : null,
    CANCELLABLE_ORDER_STATUSES.includes(order.status) && order.cancellationReason === null ? (
      <ActionForm
        session={session}
        action={to('cancel')}
        verb="Cancel the order"
        danger
        about="Undoes what was done. Refused when the parcel has left."
      />
    ) : null,
  ].filter((offer) => offer !== null);
  if (offers.length > 0) {
    return (
      <div class="actions" role="group" aria-label="Actions">
        {offers}
      </div>
    );
  }
  return FINAL_ORDER_STATUSES.includes(order.status) ? <p class="hint">It has ended: there is nothing to do.</p> : null;
};

const Steps = ({ steps }: { steps: StepRecord[] }) =>
  steps.length === 0 ? (
    <Empty>None has begun yet.</Empty>
  ) : (
    <Table label="Steps and compensations" columns={['Step', 'State', 'Attempts', 'Error', 'Begun', 'Finished']}>
      {steps.map(({ step, kind, generation, state, attempts, errorType, errorMessage, startedAt, finishedAt }) => (
        <tr>
          <th scope="row">
            {kind === 'compensation' ? `undo ${words(step)}` : words(step)}
            {generation > 1 ? <span class="hint"> generation {generation}</span> : null}
          </th>
          <td data-label="State">
            <Status of={state} />
          </td>
          <td data-label="Attempts" class="number">
            {number(attempts)}
          </td>
          <td data-label="Error">
            {errorType ? (
              <>
                <strong>{words(errorType)}</strong> <span class="clip">{errorMessage}</span>
              </>
            ) : (
              'none'
            )}
          </td>
          <td data-label="Begun">
            <Time at={startedAt} exact />
          </td>
          <td data-label="Finished">{finishedAt ? <Time at={finishedAt} exact /> : 'not yet'}</td>
        </tr>
      ))}
    </Table>
  );

const Money = ({ story: { payments, shipments, order } }: { story: OrderStory }) => (
  <>
    {payments.length === 0 ? (
      <Empty>No payment was begun.</Empty>
    ) : (
      <Table label="Payments" columns={['Generation', 'State', 'Taken', 'Given back', 'Kept', 'At the provider']}>
        {payments.map(({ generation, state, captured, refunded, refunds, currency, providerPaymentId }) => (
          <tr>
            <th scope="row">{generation}</th>
            <td data-label="State">
              <Status of={state} />
            </td>
            <td data-label="Taken" class="number">
              {formatMoney(captured, currency)}
            </td>
            <td data-label="Given back" class="number">
              {formatMoney(refunded, currency)}
              {refunds.length > 1 ? ` in ${plural(refunds.length, 'refund')}` : ''}
            </td>
            <td data-label="Kept" class="number">
              {formatMoney(captured - refunded, currency)}
            </td>
            <td data-label="At the provider">{providerPaymentId ? <code>{providerPaymentId}</code> : 'none'}</td>
          </tr>
        ))}
      </Table>
    )}
    {shipments.map(({ generation, state, warehouseId, carrier, trackingNumber }) => (
      <Facts
        of={[
          ['Parcel', <Status of={state} />],
          ['At the warehouse', <code>{warehouseId}</code>],
          ['Carrier', [carrier, trackingNumber].filter(Boolean).join(' ') || 'not yet'],
          ...(order.generation > 1 ? [generationOf(generation)] : []),
        ]}
      />
    ))}
  </>
);

const generationOf = (generation: number): [string, string] => ['Generation', number(generation)];
