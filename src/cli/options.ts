import { userInfo } from 'node:os';
import { parse } from '@lukeed/ms';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { z } from 'zod';
import { failureFilterSchema, type FailureFilter } from '../contracts/failure-filter.ts';
import { id, line, reason as reasonField, wholeNumber } from '../contracts/fields.ts';
import { FAILURE_KINDS, FAILURE_STATUSES } from '../contracts/statuses.ts';
import { cursorSchema, idCursor } from '../views/page.ts';
import { describeIssues, UsageError } from './exit.ts';
import type { OutputOptions } from './output.ts';

export interface PageOptions extends OutputOptions {
  limit: number;
  cursor?: string;
}

/** Options that mean the same in every command. */

export const jsonOption = () => new Option('--json', 'print JSON');
export const yesOption = () => new Option('-y, --yes', 'do not ask for confirmation');
export const dryRunOption = () => new Option('--dry-run', 'show what would be done, and do nothing');
export const rateOption = () =>
  new Option('--rate <n>', 'maximum rate per second').argParser(parseWith(wholeNumber(1, 200))).default(20);
export const watchOption = () => new Option('--watch', 'follow the bulk action to its end');
export const limitOption = (preset: number) =>
  new Option('--limit <n>', 'at most how many').argParser(parseWith(wholeNumber(1, 10_000))).default(preset);
export const cursorOption = () =>
  new Option('--cursor <cursor>', '`nextCursor` of the previous page').argParser(parseWith(cursorSchema(idCursor)));

export const reasonOption = () => new Option('--reason <text>', 'why; kept in the audit').argParser(parseWith(reasonField));
export const actorOption = () =>
  new Option('--actor <name>', 'who; kept in the audit').argParser(parseWith(line(100))).default(operatingUser());

/** Adds who acts, and why. */
export const withInstruction = (command: Command): Command => command.addOption(reasonOption()).addOption(actorOption());

export interface InstructionOptions {
  reason?: string;
  actor: string;
}

/** @throws UsageError when no reason is given */
export function instructionOf({ reason, actor }: InstructionOptions): { reason: string; actor: string } {
  if (reason === undefined) throw new UsageError('Give a reason with --reason.');
  return { reason, actor };
}

/** Adds the flags of a filter on failures. */
export const withFilter = (command: Command): Command =>
  command
    .addOption(new Option('--kind <kind>').choices(FAILURE_KINDS))
    .addOption(new Option('--step <step>', 'e.g. ship'))
    .addOption(new Option('--error-type <type>', 'e.g. warehouse_unavailable'))
    .addOption(new Option('--status <status>').choices(FAILURE_STATUSES))
    .addOption(new Option('--order <id>'))
    .addOption(new Option('--customer-email <address>', 'the exact address'))
    .addOption(new Option('--from <time>', 'first seen at or after, ISO 8601').argParser(parseTime))
    .addOption(new Option('--to <time>', 'first seen before, ISO 8601').argParser(parseTime))
    .addOption(new Option('--text <text>', 'part of the error, or of the workflow id'));

export interface FilterOptions {
  kind?: string;
  step?: string;
  errorType?: string;
  status?: string;
  order?: string;
  customerEmail?: string;
  from?: string;
  to?: string;
  text?: string;
}

/** @throws UsageError naming the flag that is wrong */
export function filterOf(options: FilterOptions): FailureFilter {
  const { kind, step, errorType, status, order: orderId, customerEmail, from, to, text } = options;
  const given = { kind, step, errorType, status, orderId, customerEmail, from, to, text };
  const { success, data, error } = failureFilterSchema.safeParse(
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
  if (success) return data;
  throw new UsageError(describeIssues(error));
}

/** @returns the ids, each once. @throws UsageError when one is not an id */
export const idsOf = (texts: string[]): string[] => [...new Set(texts.map(idOf))];

/** The end of an id, as pages and emails show it. */
const SHORT_NUMBER = /^…?([\da-f]{8})$/i;

/** @returns the id. @throws UsageError when it is not one */
export function idOf(text: string): string {
  const { success, data } = id.safeParse(text);
  if (success) return data;
  const number = SHORT_NUMBER.exec(text)?.[1];
  throw new UsageError(
    number === undefined ? `"${text}" is not an id.` : `"${text}" is not a full id. If it is of an order, look it up: npm run ops -- find ${number}`,
  );
}

/** @returns a parser for an option's value */
export const parseWith =
  <Value>(schema: z.ZodType<Value>) =>
  (text: string): Value => {
    const { success, data, error } = schema.safeParse(text);
    if (success) return data;
    throw new InvalidArgumentError(error.issues.map(({ message }) => message).join('; '));
  };

/** @returns a time or a date (then its midnight, UTC) as ISO 8601 in UTC */
export function parseTime(text: string): string {
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : new Date(NaN);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('Give a time such as 2026-11-24T08:00:00Z.');
  return time.toISOString();
}

/** @returns the ms of a duration such as `24h`, or of `0` */
export function parseDuration(text: string): number {
  if (text.trim() === '0') return 0;
  // A number without a unit would be milliseconds, which nobody means.
  const duration = /[a-z]/i.test(text) ? parse(text.trim()) : undefined;
  if (duration === undefined || duration < 0) throw new InvalidArgumentError('Give a duration such as 24h or 90d.');
  return duration;
}

/** When something ends. */
export type Expiry = Date | 'never';

/** @returns a time in the future: at a date, or after a duration */
export function parseExpiry(text: string): Expiry {
  if (text === 'never') return text;
  const isDate = /^\d{4}-/.test(text);
  const time = isDate ? new Date(parseTime(text)) : new Date(Date.now() + parseDuration(text));
  if (!(time.getTime() > Date.now())) throw new InvalidArgumentError('Give a time in the future.');
  return time;
}

function operatingUser(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    // A container's user may have no name.
    return `cli:${process.getuid?.() ?? 'unknown'}`;
  }
}
