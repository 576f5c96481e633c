import type { Hono } from 'hono';
import type { Child } from 'hono/jsx';
import { z } from 'zod';
import type { BulkActionType } from '../../contracts/bulk-actions.ts';
import type { Caller } from '../../contracts/caller.ts';
import { mayUse } from '../access.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { number } from './format.tsx';
import type { Section } from './layout.tsx';
import { respond } from './respond.tsx';
import { queryOf, readSearch, type Search } from './search.ts';
import { NextPage, Table, type Columns } from './table.tsx';

/** Reads the id at which a page of a list starts. A missing or malformed one starts the list at its beginning. */
export const UUID_CURSOR = z.uuid().optional().catch(undefined);

/** Where a selection leads. */
export const DRY_RUN = '/ops/bulk-actions/new';

/** Acting on the selected rows, or on all that match. */
export interface Selection {
  noun: string;
  /** How many match. */
  matching: number;
  /** The filter that selects all that match. */
  filter: Record<string, string | undefined>;
  actions: { action: BulkActionType; label: string }[];
}

/** One page of a list. `rows` holds one more than the page when there is a next page. */
export interface Found<Row> {
  rows: Row[];
  hint?: Child;
  /** Between the search and the table. */
  above?: Child;
  /** Shown when there are no rows. */
  empty: string;
  selection?: Selection | undefined;
}

/** A list with its search, its table, and pages. */
export interface List<Row, Schema extends z.ZodObject, Cursor> {
  section: Section;
  title: string;
  /** What its rows are called. */
  noun: string;
  size: number;
  search: Schema;
  /** The search when the address says nothing. */
  initial?: Record<string, string>;
  cursor: z.ZodType<Cursor | undefined>;
  find: (search: Search<z.output<Schema>>, page: { limit: number; cursor: Cursor | undefined }, caller: Caller) => Promise<Found<Row>>;
  idOf: (row: Row) => string;
  columns: Columns<Row>;
  /** The fields of the search form. */
  fields?: (typed: Record<string, string>) => Child;
}

/** Adds the page of a list. Search and page are in the address. */
export function listPage<Row, Schema extends z.ZodObject, Cursor>(
  app: Hono<PageEnv>,
  deps: PageDependencies,
  list: List<Row, Schema, Cursor>,
): void {
  const { section, title, noun, size, columns, idOf } = list;
  app.get(section.replace('/ops', ''), async (c) => {
    const search = readSearch({ ...list.initial, ...c.req.query() }, list.search);
    const found = await list.find(search, { limit: size, cursor: list.cursor.parse(c.req.query('cursor')) }, c.var.caller);
    const rows = found.rows.slice(0, size);
    const last = found.rows.length > size ? rows.at(-1) : undefined;
    const selection = rows.length > 0 && mayUse(c.var.caller, 'GET', DRY_RUN) ? found.selection : undefined;
    const table = (
      <Table
        label={title}
        columns={columns}
        rows={rows}
        empty={found.empty}
        selectable={selection && { noun: selection.noun, idOf }}
      />
    );
    return respond(c, deps, {
      title,
      section,
      hint: found.hint,
      ...(search.error === undefined
        ? {}
        : { status: 422, flash: { kind: 'error', message: `The search was not used: ${search.error}.` } }),
      children: (
        <>
          {list.fields ? (
            <form method="get" class="filters" role="search" aria-label={`Search ${noun}`}>
              {list.fields(search.typed)}
              <button type="submit">Search</button>
              <a href={section}>Reset</a>
            </form>
          ) : null}
          {found.above}
          {selection ? <SelectionForm of={selection}>{table}</SelectionForm> : table}
          {last === undefined ? null : (
            <NextPage href={`${section}${queryOf({ ...search.typed, cursor: idOf(last) })}`}>Older {noun}</NextPage>
          )}
        </>
      ),
    });
  });
}

/** A GET: it leads to the dry run and changes nothing. */
const SelectionForm = ({ of: { matching, filter, actions }, children }: { of: Selection; children: Child }) => (
  <form method="get" action={DRY_RUN} data-selection>
    {Object.entries(filter).map(([name, value]) => (value ? <input type="hidden" name={name} value={value} /> : null))}
    <div class="toolbar" role="group" aria-label="Act on the selection">
      <label class="tick" hidden>
        <input type="checkbox" data-select-all /> This page
      </label>
      <label class="tick">
        <input type="checkbox" name="scope" value="all" data-matching={number(matching)} /> All {number(matching)} matching
      </label>
      <span class="grow" data-selected role="status"></span>
      {actions.map(({ action, label }, index) => (
        <button type="submit" name="action" value={action} class={index === 0 ? 'primary' : undefined}>
          {label}
        </button>
      ))}
    </div>
    {children}
  </form>
);
