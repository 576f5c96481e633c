import type { Context, Hono } from 'hono';
import type { Child } from 'hono/jsx';
import { customerText, ORDER_TEXTS } from '../../contracts/customer-texts.ts';
import { id as idField } from '../../contracts/fields.ts';
import { shortNumber } from '../../contracts/ids.ts';
import { formatMoney } from '../../contracts/money.ts';
import { RequestError } from '../../contracts/request-error.ts';
import { CANCELLABLE_ORDER_STATUSES, FINAL_ORDER_STATUSES, type OrderStatus } from '../../contracts/statuses.ts';
import { orderPath } from '../../customer-links.ts';
import { cancelLinkedOrder } from '../../intake/orders.ts';
import { readLinkedOrder, type OrderRecord } from '../../queries/orders.ts';
import type { ApiEnv, Dependencies } from '../environment.ts';
import { page } from './layout.tsx';
import { wrongLink } from './wrong-link.ts';

const PATH = '/orders/:id/:signature';

/** What became of an order, for the customer. The signature in the link is the credential, so there is neither key nor cookie. */
export function orderPage(app: Hono<ApiEnv>, deps: Dependencies): void {
  const { db, timeZone } = deps;

  app.get(PATH, async (c) => {
    const link = await readLink(c, deps);
    return show(c, link, await readOrder(link));
  });

  // Where a browser is after a refused cancellation: reloading or sharing that address leads to the order.
  app.get(`${PATH}/cancel`, async (c) => {
    const { orderId, signature } = await readLink(c, deps);
    return c.redirect(orderPath(orderId, signature), 303);
  });

  app.post(`${PATH}/cancel`, async (c) => {
    const link = await readLink(c, deps);
    try {
      await cancelLinkedOrder(db, link.orderId);
    } catch (error) {
      if (!(error instanceof RequestError) || error.type !== 'order_not_cancellable') throw error;
      return show(c, link, await readOrder(link), 'It is too late to cancel this order.');
    }
    return c.redirect(orderPath(link.orderId, link.signature), 303);
  });

  async function readOrder({ orderId }: Link): Promise<OrderRecord> {
    const record = await readLinkedOrder(db, orderId);
    if (!record) throw wrongLink();
    return record;
  }

  const show = (c: Context<ApiEnv>, link: Link, record: OrderRecord, refusal?: string) =>
    page(
      c,
      {
        title: `Your order ${shortNumber(link.orderId)}`,
        children: (
          <>
            {refusal ? (
              <p class="notice bad" role="alert">
                {refusal}
              </p>
            ) : null}
            <Standing of={record} />
            <Stages of={record} timeZone={timeZone} />
            <Parcel of={record} />
            <Items of={record} />
            <Cancellation of={record} to={`${orderPath(link.orderId, link.signature)}/cancel`} />
          </>
        ),
      },
      refusal ? 409 : 200,
    );
}

interface Link {
  orderId: string;
  signature: string;
}

/** @throws Problem unless the link is signed */
async function readLink(c: Context<ApiEnv>, { customerLinks, limits }: Dependencies): Promise<Link> {
  const { data: orderId } = idField.safeParse(c.req.param('id'));
  const signature = c.req.param('signature') ?? '';
  if (orderId === undefined || !customerLinks.isSigned(orderId, signature)) throw wrongLink();
  await limits.admit(c, `link:${orderId}`);
  return { orderId, signature };
}

const Standing = ({ of: { order, payment } }: { of: OrderRecord }) => (
  <div>
    <p class="status">{ORDER_TEXTS[order.status]}</p>
    {order.status === 'failed' ? <p>{customerText(order.failureType ?? 'unknown')}</p> : null}
    {payment && payment.refunded > 0 ? <p>Refunded: {formatMoney(payment.refunded, payment.currency)}</p> : null}
  </div>
);

/** What has not happened until then never will. */
const HAS_ENDED: readonly OrderStatus[] = ['compensating', ...FINAL_ORDER_STATUSES];

const Stages = ({ of: { order, payment, shipment }, timeZone }: { of: OrderRecord; timeZone: string }) => {
  const format = new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
    timeZoneName: 'short',
  });
  const stages: [string, Date | null | undefined][] = [
    ['Ordered', order.createdAt],
    ['Paid', payment?.capturedAt],
    ['With our warehouse', shipment?.acceptedAt],
    ['On its way', shipment?.shippedAt],
    ['Delivered', shipment?.deliveredAt],
  ];
  return (
    <section>
      <h2>Steps</h2>
      <ol>
        {stages.filter(([, at]) => at || !HAS_ENDED.includes(order.status)).map(([name, at]) => (
          <li class={at ? 'done' : undefined}>
            <span aria-hidden="true">{at ? '✓' : '○'}</span>
            <div>
              {name} {at ? <time datetime={at.toISOString()}>{format.format(at)}</time> : <span class="muted">not yet</span>}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
};

const Parcel = ({ of: { shipment } }: { of: OrderRecord }): Child =>
  shipment?.carrier || shipment?.trackingNumber ? (
    <section>
      <h2>Parcel</h2>
      <p>
        {shipment.carrier ?? 'The carrier'}
        {shipment.trackingNumber ? `, tracking number ${shipment.trackingNumber}` : ''}
      </p>
    </section>
  ) : null;

const Items = ({ of: { order, items } }: { of: OrderRecord }) => (
  <section>
    <h2>Items</h2>
    <ul class="items">
      {items.map(({ name, quantity, unitAmount }) => (
        <li>
          <span>
            {quantity} × {name}
          </span>
          <span>{formatMoney(quantity * unitAmount, order.currency)}</span>
        </li>
      ))}
      <li class="total">
        <span>Total</span>
        <span>{formatMoney(order.amount, order.currency)}</span>
      </li>
    </ul>
  </section>
);

const Cancellation = ({ of: { order }, to }: { of: OrderRecord; to: string }) => {
  if (order.cancellationStatus === 'refused') {
    return <p class="notice">We could not cancel this order: the parcel had already left our warehouse.</p>;
  }
  if (!CANCELLABLE_ORDER_STATUSES.includes(order.status)) return null;
  if (order.cancellationStatus === 'requested') {
    return <p class="notice">A cancellation was requested. We will write to you as soon as we know whether the parcel could be stopped.</p>;
  }
  return (
    <details>
      <summary>Cancel this order…</summary>
      <form method="post" action={to}>
        <p>Anything you paid is refunded. If the parcel leaves before we can stop it, the order stays as it is.</p>
        <button type="submit" class="bad">
          Cancel the order
        </button>
      </form>
    </details>
  );
};
