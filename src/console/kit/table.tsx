import type { Child } from 'hono/jsx';
import { shortId } from './format.tsx';
import { Empty } from './layout.tsx';

/** A column of a table. */
interface Column<Row> {
  title: string;
  cell: (row: Row) => Child;
  /** Figures stay on one line. */
  number?: true;
}

/** The columns of a table. The first names the row. */
export type Columns<Row> = [Column<Row>, ...Column<Row>[]];

/**
 * A table that scrolls on its own where it is too wide. On a phone each row is a card, and `data-label` names its cells.
 */
export function Table<Row>({
  label,
  columns: [first, ...others],
  rows,
  empty = '',
  selectable,
}: {
  label: string;
  columns: Columns<Row>;
  rows: Row[];
  /** Shown when there are no rows. */
  empty?: Child;
  /** Lets rows be selected. */
  selectable?: { noun: string; idOf: (row: Row) => string } | undefined;
}) {
  if (rows.length === 0) return <Empty>{empty}</Empty>;
  return (
    <div class="scroll" role="region" aria-label={label} tabindex={0}>
      <table>
        <thead>
          <tr>
            {[...(selectable ? ['Select'] : []), first.title, ...others.map(({ title }) => title)].map((title) => (
              <th scope="col">{title}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              {selectable ? <SelectCell noun={selectable.noun} id={selectable.idOf(row)} /> : null}
              <th scope="row">{first.cell(row)}</th>
              {others.map(({ title, cell, number }) => (
                <td data-label={title} class={number ? 'number' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const SelectCell = ({ noun, id }: { noun: string; id: string }) => (
  <td data-label="Select">
    <input type="checkbox" name="ids" value={id} aria-label={`Select ${noun} ${shortId(id)}`} />
  </td>
);

/** A link to the next page of a list. */
export const NextPage = ({ href, children }: { href: string; children: Child }) => (
  <p>
    <a href={href} rel="next">
      {children}
    </a>
  </p>
);
