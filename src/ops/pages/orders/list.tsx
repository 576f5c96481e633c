import type { Hono } from 'hono';
import { formatMoney } from '../../../contracts/money.ts';
import { ORDER_STATUSES } from '../../../contracts/statuses.ts';
import { orders } from '../../../db/schema.ts';
import { orderCondition, orderSearchSchema, searchOrders, type OrderSearch } from '../../search.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { queryOf } from '../filters.ts';
import { number, plural, shortId, Time, words } from '../format.tsx';
import { Choice, Field } from '../forms.tsx';
import { Empty, PageHead, Table } from '../layout.tsx';
import { describeIssues, pageCursor, respond } from '../respond.tsx';
import { searchOf } from '../search-form.ts';
import { Status } from '../status.tsx';

const PAGE = 50;

type Order = typeof orders.$inferSelect;

/** The orders: search, and of the failed ones a selection to replay. */
export function orderList(app: Hono<PageEnv>, deps: PageDependencies): void {
  app.get('/orders', async (c) => {
    const typed = searchOf(c.req.query());
    const parsed = orderSearchSchema.safeParse(typed);
    const search: OrderSearch = parsed.data ?? {};
    const [rows, matching] = await Promise.all([
      searchOrders(deps.db, search, { limit: PAGE, cursor: pageCursor(c) }),
      deps.db.$count(orders, orderCondition(search)),
    ]);
    const shown = rows.slice(0, PAGE);
    const next = rows.length > PAGE ? shown.at(-1)?.id : undefined;
    return respond(c, deps, {
      title: 'Orders',
      section: '/ops/orders',
      ...(parsed.error
        ? { status: 422, flash: { kind: 'error', message: `The search was not used: ${describeIssues(parsed.error)}.` } }
        : {}),
      children: (
        <>
          <PageHead title="Orders">
            <p class="hint">{plural(matching, 'order')} match.</p>
          </PageHead>
          <form method="get" class="filters" role="search" aria-label="Search orders">
            <Field label="Order id" name="id" value={typed['id']} wide />
            <Field label="Customer's email (exact)" name="email" type="email" value={typed['email']} wide />
            <Choice
              label="Status"
              name="status"
              any="any"
              value={typed['status']}
              options={ORDER_STATUSES.map((value) => ({ value, label: words(value) }))}
            />
            <button type="submit">Search</button>
            <a href="/ops/orders">Reset</a>
          </form>
          {shown.length === 0 ? (
            <Empty>Nothing matches.</Empty>
          ) : search.status === 'failed' ? (
            <Replayable orders={shown} matching={matching} email={search.email} />
          ) : (
            <Orders orders={shown} />
          )}
          {next ? (
            <p>
              <a href={`/ops/orders${queryOf({ ...typed, cursor: next })}`} rel="next">
                Older orders
              </a>
            </p>
          ) : null}
        </>
      ),
    });
  });
}

/** Choosing is a GET: it leads to the dry run, and changes nothing. */
const Replayable = (props: { orders: Order[]; matching: number; email: string | undefined }) => (
  <form method="get" action="/ops/replays/new" data-selection>
    {props.email ? <input type="hidden" name="customerEmail" value={props.email} /> : null}
    <div class="toolbar" role="group" aria-label="Act on the selection">
      <label class="tick" hidden>
        <input type="checkbox" data-select-all /> This page
      </label>
      <label class="tick">
        <input type="checkbox" name="scope" value="all" data-matching={number(props.matching)} /> All{' '}
        {number(props.matching)} matching
      </label>
      <span class="grow" data-selected role="status"></span>
      <button type="submit" name="action" value="replay" class="primary">
        Dry-run a replay
      </button>
    </div>
    <Orders orders={props.orders} selectable />
  </form>
);

const Orders = ({ orders: rows, selectable = false }: { orders: Order[]; selectable?: boolean }) => (
  <Table
    label="Orders"
    columns={[...(selectable ? ['Select'] : []), 'Order', 'Customer', 'Amount', 'Placed', 'Moved', 'Status', 'Because']}
  >
    {rows.map((order) => (
      <tr>
        {selectable ? (
          <td data-label="Select">
            <input type="checkbox" name="ids" value={order.id} aria-label={`Select order ${shortId(order.id)}`} />
          </td>
        ) : null}
        <th scope="row">
          <a href={`/ops/orders/${order.id}`}>{shortId(order.id)}</a>
        </th>
        <td data-label="Customer">
          {order.customerName}
          <br />
          <span class="hint">{order.customerEmail}</span>
        </td>
        <td data-label="Amount" class="number">
          {formatMoney(order.amount, order.currency)}
        </td>
        <td data-label="Placed">
          <Time at={order.createdAt} />
        </td>
        <td data-label="Moved">
          <Time at={order.updatedAt} />
        </td>
        <td data-label="Status">
          <Status of={order.status} />
        </td>
        <td data-label="Because">{order.failureType ? words(order.failureType) : '–'}</td>
      </tr>
    ))}
  </Table>
);
