import { duration } from '../../contracts/duration-format.ts';
import { shortNumber } from '../../contracts/ids.ts';
import { nameOf, type ActorNames } from '../../queries/actor-names.ts';

/** ms */
const NOW = 2_000;

/** @returns how far a time is from now, e.g. `3 min ago`, `in 2 h` */
export function relative(at: Date, now = Date.now()): string {
  const away = at.getTime() - now;
  if (Math.abs(away) < NOW) return 'just now';
  return away > 0 ? `in ${duration(away)}` : `${duration(-away)} ago`;
}

/** @returns a time to the second, in UTC, e.g. `2026-11-23 14:05:09` */
export const absolute = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ');

/** A time, relative unless `exact`. The exact time is always in the tooltip. With JavaScript it is local: see `ops.js`. */
export const Time = ({ at, exact = false }: { at: Date; exact?: boolean }) => (
  <time datetime={at.toISOString()} title={`${absolute(at)} UTC`} {...(exact ? { 'data-exact': '' } : {})}>
    {exact ? absolute(at) : relative(at)}
  </time>
);

/** Says what zone the times of a page are in: UTC, and with JavaScript the reader's. */
export const Zone = () => <span data-zone>Times are UTC.</span>;

/** A button that copies an id. It needs JavaScript, and is not shown without. */
export const CopyId = ({ id }: { id: string }) => (
  <button type="button" class="copy" data-copy={id} aria-label={`Copy the id ${id}`} title="Copy the id" hidden>
    <svg viewBox="0 0 16 16" width="13" height="13" aria-hidden="true">
      <path d="M5 4V1.5h9.5V12H12M1.5 4H12v10.5H1.5z" fill="none" stroke="currentColor" stroke-width="1.5" />
    </svg>
  </button>
);

/** The next attempt of something that is retried. Without a time, or after it, the attempt is running. */
export const NextAttempt = ({ at }: { at: Date | null | undefined }) =>
  at && at.getTime() > Date.now() ? <Time at={at} /> : <>running now</>;

/** @returns the words of an identifier, e.g. `needs attention`, `order id` */
export const words = (identifier: string): string =>
  identifier
    .replaceAll(/[_-]/g, ' ')
    .replaceAll(/([a-z])([A-Z])/g, (_match, end: string, start: string) => `${end} ${start.toLowerCase()}`);

/** @returns a text with a capital first letter */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** @returns the end of an id: ids start with their time, so ids of the same hour differ only at the end */
export const shortId = (id: string): string => `…${shortNumber(id)}`;

/** @returns a number with separated thousands */
export const number = (value: number): string => value.toLocaleString('en-IE');

/** @returns `1 order`, `2 orders` */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

/** @returns a number of rows of which only so many were counted: `1,000+` */
export const upTo = (most: number, count: number): string => (count > most ? `${number(most)}+` : number(count));

/** Who did something. */
export const Actor = ({ actor, names }: { actor: string; names: ActorNames }) => <span title={actor}>{nameOf(actor, names)}</span>;

/** An error: its type and its message. */
export const ErrorText = ({ type, message }: { type: string | null; message: string | null }) =>
  type === null ? (
    <>none</>
  ) : (
    <>
      <strong>{words(type)}</strong> <span class="clip">{message}</span>
    </>
  );

const SECTIONS = { order: 'orders', signup: 'signups', failure: 'failures', 'bulk action': 'bulk-actions' } as const;

/** A link to the order or signup that something is about. */
export const Subject = ({ of: { orderId, signupId } }: { of: { orderId: string | null; signupId: string | null } }) => {
  if (orderId) return <IdLink to="order" id={orderId} />;
  return signupId ? <IdLink to="signup" id={signupId} /> : <>none</>;
};

type Kind = keyof typeof SECTIONS;

/** @returns the path of the page of one thing */
export const pagePath = (kind: Kind, id: string): string => `/ops/${SECTIONS[kind]}/${id}`;

/** A link to the page of one thing, e.g. `order …5f3a91c2`. */
export const IdLink = ({ to, id }: { to: Kind; id: string }) => (
  <a href={pagePath(to, id)}>
    {to} {shortId(id)}
  </a>
);
