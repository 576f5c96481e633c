import type { Hono } from 'hono';
import { decimalAmount, formatMoney } from '../../contracts/money.ts';
import { ORDER_STATUSES } from '../../contracts/statuses.ts';
import { MOST_COUNTED } from '../../queries/counting.ts';
import { countOrders, orderSearchSchema, readBlocking, searchOrders, type OrderSearch } from '../../queries/orders.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { CopyId, IdLink, Time, upTo, words } from '../kit/format.tsx';
import { Choice, Field, optionsOf } from '../kit/forms.tsx';
import { listPage, UUID_CURSOR } from '../kit/list.tsx';
import { Status } from '../kit/status.tsx';

/** A bulk action cannot select orders by when they reached a status. */
const isAboutThePast = ({ reached, from, to }: OrderSearch): boolean => [reached, from, to].some((field) => field !== undefined);

/** The orders. Failed ones can be selected, to restart them. */
export function orderList(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db } = deps;

  /** A parked order has no error of its own: it is that of what it is parked on. */
  async function read(meant: OrderSearch, page: { limit: number; cursor: string | undefined }) {
    const rows = await searchOrders(db, meant, page);
    const parked = rows.filter(({ status }) => status === 'needs_attention').map(({ id }) => id);
    const blocking = await readBlocking(db, parked);
    return rows.map((order) => ({
      ...order,
      error: order.failureType ?? blocking.findLast(({ orderId }) => orderId === order.id)?.errorType,
    }));
  }

  listPage(app, deps, {
    section: '/ops/orders',
    title: 'Orders',
    noun: 'orders',
    size: 50,
    search: orderSearchSchema,
    cursor: UUID_CURSOR,
    find: async ({ meant }, page) => {
      const [rows, count] = await Promise.all([read(meant, page), countOrders(db, meant)]);
      const matching = upTo(MOST_COUNTED, count);
      return {
        rows,
        hint: `${matching} matching ${count === 1 ? 'order' : 'orders'}`,
        empty: 'No orders match.',
        selection:
          meant.status === 'failed' && !isAboutThePast(meant)
            ? {
                noun: 'order',
                matching,
                filter: { orderId: meant.id, customerEmail: meant.email },
                actions: [{ action: 'restart', label: 'Dry-run a restart' }],
              }
            : undefined,
      };
    },
    idOf: ({ id }) => id,
    columns: [
      {
        title: 'Order',
        cell: ({ id }) => (
          <>
            <IdLink to="order" id={id} /> <CopyId id={id} />
          </>
        ),
      },
      {
        title: 'Customer',
        cell: ({ customerName, customerEmail }) => (
          <>
            {customerName}
            <br />
            <span class="hint">{customerEmail}</span>
          </>
        ),
      },
      { title: 'Amount', number: true, cell: ({ amount, currency }) => formatMoney(amount, currency) },
      { title: 'Age', cell: ({ createdAt }) => <Time at={createdAt} /> },
      { title: 'Last change', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
      { title: 'Status', cell: ({ status }) => <Status of={status} /> },
      { title: 'Error', cell: ({ error }) => (error ? words(error) : '–') },
    ],
    csv: {
      columns: [
        ['Order', ({ id }) => id],
        ['Customer', ({ customerName }) => customerName],
        ['Email', ({ customerEmail }) => customerEmail],
        ['Amount', ({ amount, currency }) => Number(decimalAmount(amount, currency))],
        ['Currency', ({ currency }) => currency],
        ['Placed', ({ createdAt }) => createdAt],
        ['Last change', ({ updatedAt }) => updatedAt],
        ['Status', ({ status }) => status],
        ['Error', ({ error }) => error],
      ],
      count: (meant, most) => countOrders(db, meant, most),
      rows: read,
    },
    fields: (typed) => (
      <>
        <Field label="Order id" name="id" value={typed['id']} wide />
        <Field label="Customer's email (exact)" name="email" type="email" value={typed['email']} wide />
        <Choice label="Status" name="status" any="any" value={typed['status']} options={optionsOf(ORDER_STATUSES)} />
        <details class="more" open={['reached', 'from', 'to'].some((field) => field in typed)}>
          <summary>More filters</summary>
          <div>
            <Choice label="Reached" name="reached" any="placed" value={typed['reached']} options={optionsOf(ORDER_STATUSES)} />
            <Field label="From (UTC)" name="from" type="datetime-local" value={typed['from']?.slice(0, 16)} />
            <Field label="Before (UTC)" name="to" type="datetime-local" value={typed['to']?.slice(0, 16)} />
          </div>
        </details>
      </>
    ),
  });
}
