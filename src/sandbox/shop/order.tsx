import { Status } from '../../console/kit/status.tsx';
import { shortNumber } from '../../contracts/ids.ts';
import { formatMoney } from '../../contracts/money.ts';
import { CANCELLABLE_ORDER_STATUSES } from '../../contracts/statuses.ts';
import type { Mail, Order, Product, Step } from './backend.ts';
import { Live, Panel, pathOf, PersonFields, ShownFields, type Shown } from './layout.tsx';
import { STATUS_TEXTS, timelineOf } from './timeline.ts';

/** What a visitor has chosen, to be shown again if it was refused. */
export interface OrderDraft {
  key: string;
  sku: string;
  quantity: string;
  card: string;
  address: string;
  name: string;
  email: string;
}

/** Each leads somewhere else. */
export const CARDS: Record<string, string> = {
  pm_card_visa: 'Visa',
  pm_card_visa_chargeDeclined: 'A card that is declined',
  pm_card_visa_chargeDeclinedInsufficientFunds: 'A card without funds',
};

export const ADDRESSES: Record<string, { label: string; postalCode: string }> = {
  london: { label: '12 St James Square, London', postalCode: 'SW1Y 4JH' },
  nowhere: { label: 'An address that the carrier refuses', postalCode: '00000' },
};

export const OrderForm = ({ products, approvalThreshold, draft, shown }: { products: Product[]; approvalThreshold: number; draft: OrderDraft; shown: Shown }) => (
  <form method="post" action="/shop/orders" class="stack">
    <ShownFields shown={shown} />
    <input type="hidden" name="key" value={draft.key} autocomplete="off" />
    <fieldset class="products">
      <legend>What would you like?</legend>
      {products.map(({ sku, name, price, available }) => (
        <label>
          <input type="radio" name="sku" value={sku} checked={sku === draft.sku} required />
          <span class="product">
            {name}
            {price.amount > approvalThreshold ? <small>Has to be approved</small> : null}
            {available === 0 ? <small>Watch it fail</small> : null}
          </span>
          <span class="price">{formatMoney(price.amount, price.currency)}</span>
        </label>
      ))}
    </fieldset>
    <div class="row">
      <label class="narrow">
        Quantity
        <input name="quantity" type="number" min={1} max={20} value={draft.quantity} required />
      </label>
      <label>
        Payment
        <select name="card">
          {Object.entries(CARDS).map(([value, label]) => (
            <option value={value} selected={value === draft.card}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label>
        Ship to
        <select name="address">
          {Object.entries(ADDRESSES).map(([value, { label }]) => (
            <option value={value} selected={value === draft.address}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </div>
    <PersonFields person={draft} />
    <button type="submit" class="primary">
      Place the order
    </button>
  </form>
);

/** An order that the visitor follows. */
export interface Followed {
  order: Order;
  steps: Step[];
  runUrl: string | undefined;
  mails: Mail[];
}

export const FollowedOrder = ({ order, steps, runUrl, mails, shown }: Followed & { shown: Shown }) => (
  <Panel id="order" title={`Order ${shortNumber(order.id)}`}>
    <Live id="order-now" status>
      <p class="now">
        <Status of={order.status} /> <span>{STATUS_TEXTS[order.status]}</span>
      </p>
    </Live>
    <Live id="order-steps">
      <ol class="timeline" data-follow={`/shop/orders/${order.id}/events`}>
        {timelineOf(order, steps).map(({ at, tone, title, detail }) => (
          <li class={tone}>
            <time datetime={at}>{clockTime(at)}</time>
            <div>
              <span>{title}</span>
              {detail ? <p>{detail}</p> : null}
            </div>
          </li>
        ))}
      </ol>
      <p class="hint">
        {order.items.map(({ name, quantity }) => `${quantity} × ${name}`).join(', ')}: {formatMoney(order.total.amount, order.total.currency)} in total
        {order.payment && order.payment.captured > 0 ? `, ${formatMoney(order.payment.captured, order.total.currency)} paid` : ''}
        {order.payment && order.payment.refunded > 0 ? `, ${formatMoney(order.payment.refunded, order.total.currency)} refunded` : ''}
      </p>
    </Live>
    <Live id="order-links">
      <ul class="links">
        {runUrl !== undefined && steps.length > 0 ? (
          <li>
            <a href={runUrl}>Its run in Temporal</a>
          </li>
        ) : null}
        <li>
          <a href={`/ops/orders/${order.id}`}>Operator’s page</a>
        </li>
        {mails.map(({ subject, url }) => (
          <li>
            <a href={url}>Mail: {subject}</a>
          </li>
        ))}
      </ul>
    </Live>
    <Live id="order-actions">
      {order.cancellation?.status === 'requested' ? (
        <p class="hint">The cancellation is requested. The warehouse has to call the parcel back: while it does not answer, the order waits.</p>
      ) : null}
      {order.cancellation?.status === 'refused' ? <p class="hint">The cancellation was refused: the parcel had already left.</p> : null}
      {CANCELLABLE_ORDER_STATUSES.includes(order.status) && order.cancellation === null ? (
        <form method="post" action={`/shop/orders/${order.id}/cancellation`}>
          <ShownFields shown={shown} />
          <button type="submit">Cancel the order</button>
        </form>
      ) : null}
    </Live>
  </Panel>
);

export const RecentOrders = ({ orders, shown }: { orders: Order[]; shown: Shown }) => (
  <Panel id="recent" title="Latest orders">
    <Live id="recent-now">
      {orders.length === 0 ? <p class="hint">None yet.</p> : null}
      <ul class="recent">
        {orders.map(({ id, items, status, total }) => (
          <li>
            <a href={`${pathOf({ order: id, signup: shown.signup })}#order`} aria-current={id === shown.order ? 'true' : undefined}>
              {shortNumber(id)}
            </a>
            <span>{items.map(({ name }) => name).join(', ')}</span>
            <span class="price">{formatMoney(total.amount, total.currency)}</span>
            <Status of={status} />
          </li>
        ))}
      </ul>
    </Live>
  </Panel>
);

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 2 });

/** In the time zone of this machine, where the browser is too. */
const clockTime = (at: string): string => CLOCK.format(new Date(at));
