import type { PageContext } from '../environment.ts';

/** What a cell holds. Times are written in UTC. */
export type Cell = string | number | Date | null | undefined;

/** The columns of a file: their titles, and what each row has in them. */
export type CsvColumns<Row> = readonly (readonly [title: string, cell: (row: Row) => Cell])[];

/** Rows in one file. More do not fit on a spreadsheet that people can work with. */
export const MOST_ROWS = 50_000;

/** Spreadsheets take a text that begins like this for a formula, and run it. */
const FORMULA = /^[=+\-@\t\r]/;

/** @returns a line of CSV (RFC 4180) */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(',')}\r\n`;

function csvCell(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const text = cell instanceof Date ? cell.toISOString() : harmless(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const harmless = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);

/**
 * Answers with a file that is written while it is read, so its size costs no memory.
 * @param pages the rows, page by page. If reading one fails, the download fails: a part must not look like the whole
 */
export function respondWithCsv<Row>(c: PageContext, name: string, columns: CsvColumns<Row>, pages: AsyncIterable<Row[]>): Response {
  return c.body(ReadableStream.from(encoded(linesOf(columns, pages))), 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="${name}.csv"`,
  });
}

async function* linesOf<Row>(columns: CsvColumns<Row>, pages: AsyncIterable<Row[]>): AsyncGenerator<string> {
  yield csvLine(columns.map(([title]) => title));
  let left = MOST_ROWS;
  for await (const rows of pages) {
    yield rows
      .slice(0, left)
      .map((row) => csvLine(columns.map(([, cell]) => cell(row))))
      .join('');
    left -= rows.length;
    if (left <= 0) return;
  }
}

async function* encoded(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  for await (const text of texts) if (text !== '') yield encoder.encode(text);
}
