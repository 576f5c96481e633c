import type { Hono } from 'hono';
import { orderWorkflowId } from '../../contracts/ids.ts';
import { formatMoney } from '../../contracts/money.ts';
import { CANCELLABLE_ORDER_STATUSES, FINAL_ORDER_STATUSES, isUnderWay } from '../../contracts/statuses.ts';
import { approveOrder, cancelOrder, rejectOrder, restartOrder } from '../../operate/orders.ts';
import type { ActorNames } from '../../queries/actor-names.ts';
import type { OrderStory, PaymentRecord, StepRecord } from '../../queries/order-story.ts';
import { loadOrderStory } from '../../queries/story-with-run.ts';
import { mayUse } from '../access.ts';
import type { PageDependencies, PageEnv, Session } from '../environment.ts';
import { postAction, type ActionRoute } from '../kit/actions.ts';
import { Actor, ErrorText, number, plural, Time, words } from '../kit/format.tsx';
import { ActionBar, ActionForm } from '../kit/forms.tsx';
import { Facts } from '../kit/layout.tsx';
import { pathId } from '../kit/respond.tsx';
import { queryOf } from '../kit/search.ts';
import { Status } from '../kit/status.tsx';
import { happened, pending, standing, storyPage } from '../kit/story.tsx';
import { Table, type Columns } from '../kit/table.tsx';
import { orderMoments } from './timeline.ts';
import { Waterfall } from './waterfall.tsx';

/** One order: its whole story, why it is waiting, and what can be done. */
export function orderPage(app: Hono<PageEnv>, deps: PageDependencies): void {
  storyPage(app, deps, {
    section: '/ops/orders',
    noun: 'order',
    load: loadOrderStory,
    workflowId: orderWorkflowId,
    status: ({ order }) => order.status,
    actors: ({ order, steps }) => [order.cancellationActor, ...steps.map(({ actor }) => actor)],
    parts: (loaded, session) => {
      const { story } = loaded;
      const { order } = story;
      return [
        standing(loaded, [
          ['Status', <Status of={order.status} />],
          ['Amount', formatMoney(order.amount, order.currency)],
          ['Placed', <Time at={order.createdAt} exact />],
          ['Last change', <Time at={order.updatedAt} />],
          ['Generation', number(order.generation)],
          ['Error', order.failureType && <ErrorText type={order.failureType} message={order.failureMessage} />],
          ['Cancellation', order.cancellationStatus && <Cancellation of={order} names={loaded.names} />],
          ['Cancellation reason', order.cancellationReason],
        ]),
        { id: 'actions', content: <Actions story={story} session={session} /> },
        { id: 'items', title: 'Items and customer', content: <Items story={story} /> },
        { id: 'steps', title: 'Steps', content: <Steps steps={story.steps} /> },
        { id: 'time', title: 'Where the time went', note: <span class="hint">Select a step to see its attempts.</span>, content: <Waterfall story={story} /> },
        pending(loaded, order.status === 'needs_attention' || order.status === 'awaiting_approval'),
        { id: 'money', title: 'Money and parcels', content: <Money story={story} /> },
        happened(loaded, orderMoments(story)),
      ];
    },
  });

  const route: ActionRoute = { target: (c) => pathId(c, 'order'), back: (id) => `/ops/orders/${id}` };
  postAction(app, deps, '/orders/:id/approve', approveOrder, route);
  postAction(app, deps, '/orders/:id/reject', rejectOrder, route);
  postAction(app, deps, '/orders/:id/restart', restartOrder, route);
  postAction(app, deps, '/orders/:id/cancel', cancelOrder, route);
}

const Cancellation = ({ of, names }: { of: OrderStory['order']; names: ActorNames }) => {
  const { cancellationStatus: status, cancellationActor: actor, cancellationRequestedAt: requestedAt, cancellationSettledAt: settledAt } = of;
  if (!status || !requestedAt) return null;
  return (
    <>
      <Status of={status} /> {settledAt ? <Time at={settledAt} exact /> : null}
      <div class="hint">
        Requested <Time at={requestedAt} exact />
        {actor ? (
          <>
            {' '}
            by <Actor actor={actor} names={names} />
          </>
        ) : null}
      </div>
    </>
  );
};

/** Offers only what the state of the order allows. */
const Actions = ({ story: { order, failures }, session }: { story: OrderStory; session: Session }) => {
  const { status } = order;
  if (FINAL_ORDER_STATUSES.includes(status) && status !== 'failed') {
    return <p class="hint">No actions: the order has ended.</p>;
  }
  const to = (name: string) => `/ops/orders/${order.id}/${name}`;
  if (status === 'failed' && !mayUse(session.caller, 'POST', to('restart'))) {
    return <p class="hint">Operators decide about failed orders.</p>;
  }
  const parked = failures.find(({ failure }) => failure.kind === 'step' && failure.status === 'open')?.failure;
  return (
    <ActionBar>
      {parked ? (
        <a class="button primary" href={`/ops/failures/${parked.id}`}>
          Go to the failure
        </a>
      ) : null}
      {status === 'awaiting_approval' && order.approvalDecision === null ? (
        <>
          {order.owner === session.caller.keyId ? (
            <p class="hint">Your key placed this order, so someone else has to approve it.</p>
          ) : (
            <ActionForm session={session} action={approveOrder} to={to('approve')} />
          )}
          <ActionForm session={session} action={rejectOrder} to={to('reject')} danger />
        </>
      ) : null}
      {status === 'failed' ? <ActionForm session={session} action={restartOrder} to={to('restart')} /> : null}
      {CANCELLABLE_ORDER_STATUSES.includes(status) && order.cancellationStatus === null ? (
        <ActionForm session={session} action={cancelOrder} to={to('cancel')} danger />
      ) : null}
    </ActionBar>
  );
};

const STEP_COLUMNS: Columns<StepRecord> = [
  {
    title: 'Step',
    cell: ({ step, kind, generation }) => (
      <>
        {kind === 'compensation' ? `undo ${words(step)}` : words(step)}
        {generation > 1 ? <span class="hint"> generation {generation}</span> : null}
      </>
    ),
  },
  { title: 'State', cell: ({ state }) => <Status of={state} /> },
  { title: 'Attempts', number: true, cell: ({ attempts }) => number(attempts) },
  { title: 'Error', cell: ({ errorType, errorMessage }) => <ErrorText type={errorType} message={errorMessage} /> },
  { title: 'Started', cell: ({ startedAt }) => <Time at={startedAt} exact /> },
  { title: 'Finished', cell: Finished },
];

/** Only a step that is being tried is still to finish. */
function Finished({ state, finishedAt }: StepRecord) {
  if (finishedAt) return <Time at={finishedAt} exact />;
  return state === 'running' || state === 'retrying' ? 'not yet' : '–';
}

const Steps = ({ steps }: { steps: StepRecord[] }) => (
  <Table label="Steps and compensations" columns={STEP_COLUMNS} rows={steps} empty="No step has started yet." />
);

const PAYMENT_COLUMNS: Columns<PaymentRecord> = [
  { title: 'Generation', cell: ({ generation }) => number(generation) },
  { title: 'State', cell: ({ state }) => <Status of={state} /> },
  { title: 'Captured', number: true, cell: ({ captured, currency }) => formatMoney(captured, currency) },
  {
    title: 'Refunded',
    number: true,
    cell: ({ refunded, refunds, currency }) => {
      const underWay = refunds.filter(({ status }) => isUnderWay(status));
      const counted = refunds.filter(({ status }) => status === 'succeeded');
      return (
        <>
          {formatMoney(refunded, currency)}
          {counted.length > 1 ? ` in ${plural(counted.length, 'refund')}` : ''}
          {underWay.map(({ amount }) => (
            <div class="hint">{formatMoney(amount, currency)} under way</div>
          ))}
        </>
      );
    },
  },
  { title: 'Net', number: true, cell: ({ captured, refunded, currency }) => formatMoney(captured - refunded, currency) },
  { title: 'Provider id', cell: ({ providerPaymentId }) => (providerPaymentId ? <code>{providerPaymentId}</code> : 'none') },
];

const Money = ({ story: { payments, shipments, invoices, order } }: { story: OrderStory }) => (
  <>
    <Table label="Payments" columns={PAYMENT_COLUMNS} rows={payments} empty="No payment yet." />
    {payments
      .flatMap(({ disputes }) => disputes)
      .map(({ providerDisputeId, status, amount, currency, reason, dueBy }) => (
        <Facts
          of={[
            ['Dispute', <Status of={status} />],
            ['Amount', formatMoney(amount, currency)],
            ['Reason', words(reason)],
            ['Evidence until', dueBy ? <Time at={dueBy} exact /> : null],
            ['Provider id', <code>{providerDisputeId}</code>],
          ]}
        />
      ))}
    {shipments.map(({ generation, state, warehouseId, carrier, trackingNumber }) => (
      <Facts
        of={[
          ['Parcel', <Status of={state} />],
          ['Warehouse id', <code>{warehouseId}</code>],
          ['Carrier', carrier ?? 'none yet'],
          ['Tracking number', trackingNumber && <code>{trackingNumber}</code>],
          ['Generation', order.generation > 1 ? number(generation) : null],
        ]}
      />
    ))}
    {invoices.map(({ number: invoiceNumber, amount, currency, issuedAt, voidedAt, generation }) => (
      <Facts
        of={[
          ['Invoice', invoiceNumber],
          ['Amount', formatMoney(amount, currency)],
          ['Issued', <Time at={issuedAt} exact />],
          ['Voided', voidedAt && <Time at={voidedAt} exact />],
          ['Generation', order.generation > 1 ? number(generation) : null],
        ]}
      />
    ))}
  </>
);

const Items = ({ story: { order, items } }: { story: OrderStory }) => (
  <>
    <Table
      label="Items"
      columns={[
        {
          title: 'Item',
          cell: ({ name, sku }) => (
            <>
              {name} <code>{sku}</code>
            </>
          ),
        },
        { title: 'Quantity', number: true, cell: ({ quantity }) => number(quantity) },
        { title: 'Unit price', number: true, cell: ({ unitAmount }) => formatMoney(unitAmount, order.currency) },
      ]}
      rows={items}
    />
    <Facts
      of={[
        ['Customer', order.customerName],
        [
          'Email',
          <>
            {order.customerEmail}
            <div>
              <a href={`/ops/orders${queryOf({ email: order.customerEmail })}`}>All their orders</a>
            </div>
          </>,
        ],
        ['Address', `${order.line1}, ${order.postalCode} ${order.city}, ${order.country}`],
        ['Payment method', order.paymentMethod],
      ]}
    />
  </>
);
