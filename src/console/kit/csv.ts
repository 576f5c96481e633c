import type { PageContext } from '../environment.ts';

/** What a cell holds. Times are written in UTC. */
export type Cell = string | number | Date | null | undefined;

/** The columns of a file: their titles, and what each row has in them. */
export type CsvColumns<Row> = readonly (readonly [title: string, cell: (row: Row) => Cell])[];

/** Rows in one file. More do not fit on a spreadsheet that people can work with. */
export const MOST_ROWS = 50_000;

/**
 * Where a spreadsheet begins a cell that it takes for a formula, and runs. Where the comma is the decimal sign, cells end at semicolons:
 * such a spreadsheet finds cells within our texts, quoted or not.
 */
const FORMULA = /(^|[;\t\r\n])(?="*[=+\-@\t\r])/g;

/** Tells Excel that the file is UTF-8. */
const BYTE_ORDER_MARK = '\uFEFF';

/** @returns a line of CSV (RFC 4180) */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(',')}\r\n`;

function csvCell(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const text = cell instanceof Date ? cell.toISOString() : harmless(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const harmless = (text: string): string => text.replaceAll(FORMULA, "$1'");

/**
 * Answers with a file that is written while it is read, so its size costs no memory.
 * @param pages the rows, page by page. If reading one fails, or there are too many rows, the download fails: a part must not look like the whole
 */
export function respondWithCsv<Row>(c: PageContext, name: string, columns: CsvColumns<Row>, pages: AsyncIterable<Row[]>): Response {
  return c.body(ReadableStream.from(encoded(linesOf(columns, pages))), 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="${name}.csv"`,
  });
}

async function* linesOf<Row>(columns: CsvColumns<Row>, pages: AsyncIterable<Row[]>): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + csvLine(columns.map(([title]) => title));
  let left = MOST_ROWS;
  for await (const rows of pages) {
    left -= rows.length;
    if (left < 0) throw new Error('There are more rows than fit.');
    yield rows.map((row) => csvLine(columns.map(([, cell]) => cell(row)))).join('');
  }
}

async function* encoded(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  for await (const text of texts) if (text !== '') yield encoder.encode(text);
}
