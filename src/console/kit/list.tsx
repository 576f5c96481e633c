import { createHash } from 'node:crypto';
import type { Hono } from 'hono';
import type { Child } from 'hono/jsx';
import { z } from 'zod';
import type { BulkActionType } from '../../contracts/bulk-actions.ts';
import { actorOf, type Caller } from '../../contracts/caller.ts';
import { transaction } from '../../db/transaction.ts';
import { recordOperatorAction } from '../../records/audit.ts';
import { mayUse } from '../access.ts';
import type { PageContext, PageDependencies, PageEnv } from '../environment.ts';
import { MOST_ROWS, respondWithCsv, type CsvColumns } from './csv.ts';
import { number } from './format.tsx';
import type { Section } from './layout.tsx';
import { streamUpdates } from './live.tsx';
import { respond } from './respond.tsx';
import { queryOf, readSearch, type Search } from './search.ts';
import { findSession } from '../sign-in/sessions.ts';
import { NextPage, Table, type Columns } from './table.tsx';

/** Reads the id at which a page of a list starts. A missing or malformed one starts the list at its beginning. */
export const UUID_CURSOR = z.uuid().optional().catch(undefined);

/** Where a selection leads. */
export const DRY_RUN = '/ops/bulk-actions/new';

/** Acting on the selected rows, or on all that match. */
export interface Selection {
  noun: string;
  /** How many match, in words. */
  matching: string;
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
  /** The file with all rows that match: its columns, how many rows there are, unless they are more than `most`, and one page of them. */
  csv?: {
    columns: CsvColumns<Row>;
    count: (meant: z.output<Schema>, most: number) => Promise<number>;
    rows: (meant: z.output<Schema>, page: { limit: number; cursor: Cursor | undefined }) => Promise<Row[]>;
  };
}

/** ms between two looks at a list that is open. */
const EVERY = 3_000;

/** Rows that are read at a time for a file. */
const CSV_PAGE = 500;

/**
 * Adds the page of a list, below it `/live`, the stream of its updates, and beside it its file. Search and page are in the address.
 * Only the first page is live: what is new is there.
 */
export function listPage<Row, Schema extends z.ZodObject, Cursor>(
  app: Hono<PageEnv>,
  deps: PageDependencies,
  list: List<Row, Schema, Cursor>,
): void {
  const { section, title, noun, size, columns, idOf, csv } = list;
  const path = section.replace('/ops', '');
  const readQuery = (c: PageContext) => readSearch({ ...list.initial, ...c.req.query() }, list.search);

  async function read(c: PageContext) {
    const search = readQuery(c);
    const found: Found<Row> =
      search.error === undefined
        ? await list.find(search, { limit: size, cursor: list.cursor.parse(c.req.query('cursor')) }, c.var.caller)
        : // Not all rows: at a glance, they would look like what was searched for.
          { rows: [], empty: `Correct the search to see ${noun}.` };
    const rows = found.rows.slice(0, size);
    const last = found.rows.length > size ? rows.at(-1) : undefined;
    const selection = rows.length > 0 && mayUse(c.var.caller, 'GET', DRY_RUN) ? found.selection : undefined;
    return { search, found, rows, last, selection };
  }

  const content = ({ search, found, rows, last, selection }: Awaited<ReturnType<typeof read>>) => {
    const selectable = selection && { noun: selection.noun, idOf };
    const table = <Table label={title} columns={columns} rows={rows} empty={found.empty} selectable={selectable} />;
    return (
      <div class="rows" data-version={versionOf(found)}>
        {found.above}
        {selection ? <SelectionForm of={selection}>{table}</SelectionForm> : table}
        {last === undefined ? null : (
          <NextPage href={`${section}${queryOf({ ...search.typed, cursor: idOf(last) })}`}>Older {noun}</NextPage>
        )}
      </div>
    );
  };

  app.get(path, async (c) => {
    const seen = await read(c);
    const { search, found, rows } = seen;
    const query = queryOf(search.typed);
    const isFirst = c.req.query('cursor') === undefined && search.error === undefined;
    const file = rows.length > 0 && mayUse(c.var.caller, 'GET', `${section}.csv`) ? `${section}.csv${query}` : undefined;
    return respond(c, deps, {
      title,
      section,
      hint: <span id="matching">{found.hint}</span>,
      ...(isFirst && { live: `${section}/live${query}` }),
      ...(search.error === undefined
        ? {}
        : { status: 422, flash: { kind: 'error', message: `The search is not valid: ${search.error}.` } }),
      children: (
        <>
          {list.fields ? (
            <form method="get" class="filters" role="search" aria-label={`Search ${noun}`}>
              {list.fields(search.typed)}
              <button type="submit">Search</button>
              <a href={section}>Reset</a>
            </form>
          ) : null}
          <p class="offer" data-offer role="status" hidden>
            The list has changed. <a href={`${section}${query}`}>Show the changes</a>
          </p>
          <div id="list">{content(seen)}</div>
          {file === undefined ? null : (
            <p>
              <a href={file} download>
                Download as CSV
              </a>{' '}
              <span class="hint">at most {number(MOST_ROWS)} rows</span>
            </p>
          )}
        </>
      ),
    });
  });

  app.get(`${path}/live`, (c) =>
    streamUpdates(c, deps, {
      every: EVERY,
      read: () => read(c),
      parts: (seen) => [
        { id: 'matching', content: seen.found.hint },
        { id: 'list', content: content(seen) },
      ],
      announce: ({ found }) => (typeof found.hint === 'string' ? `${found.hint}.` : ''),
    }),
  );

  if (csv) {
    app.get(`${path}.csv`, async (c) => {
      const { meant, error } = readQuery(c);
      if (error !== undefined) return c.text(`The search is not valid: ${error}.`, 422);
      if ((await csv.count(meant, MOST_ROWS)) > MOST_ROWS) return c.text(`More than ${number(MOST_ROWS)} rows: narrow the filter.`, 422);
      const name = title.toLowerCase();
      // Not what was searched for: it may be somebody's address.
      const instruction = { actor: actorOf(c.var.caller), reason: "from the operator's page" };
      await transaction(deps.db, (tx) => recordOperatorAction(tx, 'export_list', name, instruction));
      return respondWithCsv(c, name, csv.columns, pagesOf(c, csv, meant));
    });
  }

  /** Ends with an error when the session ends, or when a page cannot be read. */
  async function* pagesOf(c: PageContext, { rows: readRows }: NonNullable<typeof csv>, meant: z.output<Schema>): AsyncGenerator<Row[]> {
    let cursor: Cursor | undefined;
    let isMore = true;
    while (isMore) {
      if (!(await reported(c, findSession(deps.db, c.var.session.token)))) throw new Error('The session has ended.');
      const found = await reported(c, readRows(meant, { limit: CSV_PAGE, cursor }));
      const rows = found.slice(0, CSV_PAGE);
      yield rows;
      const last = rows.at(-1);
      isMore = found.length > CSV_PAGE && last !== undefined;
      cursor = last && list.cursor.parse(idOf(last));
    }
  }

  /** The server that sends a file prints why it failed, and sends it: a failed query would show its parameters. */
  const reported = <Read,>(c: PageContext, reading: Promise<Read>): Promise<Read> =>
    reading.catch((error: unknown) => {
      deps.report(error, c.var.requestId);
      throw new Error('A part of the file could not be read.');
    });
}

/** @returns what differs when the rows do, but not when only time has passed */
const versionOf = ({ rows }: Found<unknown>): string => createHash('sha256').update(JSON.stringify(rows)).digest('base64url').slice(0, 12);

/** A GET: it leads to the dry run and changes nothing. */
const SelectionForm = ({ of: { matching, filter, actions }, children }: { of: Selection; children: Child }) => (
  <form method="get" action={DRY_RUN} data-selection>
    {Object.entries(filter).map(([name, value]) => (value ? <input type="hidden" name={name} value={value} /> : null))}
    <div class="toolbar" role="group" aria-label="Act on the selection">
      <label class="tick" hidden>
        <input type="checkbox" data-select-all /> This page
      </label>
      <label class="tick">
        <input type="checkbox" name="scope" value="all" data-matching={matching} /> All {matching} matching
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
