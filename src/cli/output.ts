import { styleText } from 'node:util';
import Table from 'cli-table3';
import { formatMoney } from '../contracts/money.ts';

/** Of a command that can print for programs. */
export interface OutputOptions {
  json?: boolean;
}

/** Prints one thing: as JSON, in one line, for programs; as text for people. */
export function print(options: OutputOptions, value: unknown, text: () => string): void {
  console.log(options.json ? JSON.stringify(value) : text());
}

type Cell = string | number | Date | null | undefined;

/** Leaves out colours where they would not be seen: in a pipe, or with NO_COLOR. */
export const bold = (text: string): string => styleText('bold', text, { stream: process.stdout });
export const red = (text: string): string => styleText('red', text, { stream: process.stdout });

/**
 * @param head names of the columns
 * @param none what to say when there are no rows
 * @returns columns side by side; times in UTC
 */
export function table(head: string[], rows: Cell[][], none: string): string {
  if (rows.length === 0) return none;
  const lines = new Table({
    head: head.map((name) => bold(name.toUpperCase())),
    chars: PLAIN,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  lines.push(...rows.map((row) => row.map(cellText)));
  return trimLines(lines.toString());
}

/** @returns names and values, one pair a line; pairs without a value are left out */
export function facts(pairs: Record<string, Cell>): string {
  const known = Object.entries(pairs).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${bold(name.padEnd(width))}  ${cellText(value)}`).join('\n');
}

const PLAIN = Object.fromEntries(
  ['top', 'bottom', 'mid', 'left', 'right', 'middle']
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat('left-mid', 'mid-mid', 'right-mid')
    .map((name) => [name, '']),
);

/** Messages from outside must not steer the terminal. */
function cellText(value: Cell): string {
  if (value === null || value === undefined) return '';
  return (value instanceof Date ? timeText(value) : String(value)).replaceAll(/\p{Cc}+/gu, ' ');
}

const trimLines = (text: string) => text.replaceAll(/[ ]+$/gm, '');

/** @returns `2026-11-24 08:00:00Z` */
export const timeText = (time: Date): string => `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;

/** @returns at most `length` characters of a text */
export const shorten = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

/** @returns sums of money in several currencies, for people */
export const sumsText = (sums: { currency: string; amount: number }[]): string =>
  sums.map(({ amount, currency }) => formatMoney(amount, currency)).join(' + ') || 'no money';

/** What a command says in the place of what only Temporal knows. */
export const TEMPORAL_AWAY = '! Temporal is not answering.';
