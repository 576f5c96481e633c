import type { Child } from 'hono/jsx';
import type { Session } from './environment.ts';
import { number } from './format.tsx';

/** What the page says about what was just asked of it. */
export interface Flash {
  kind: 'done' | 'error';
  message: string;
}

const SECTIONS = [
  { path: '/ops', label: 'Overview' },
  { path: '/ops/failures', label: 'Failures' },
  { path: '/ops/orders', label: 'Orders' },
  { path: '/ops/signups', label: 'Signups' },
  { path: '/ops/replays', label: 'Replays' },
  { path: '/ops/schedules', label: 'Schedules' },
  { path: '/ops/reports', label: 'Reports' },
  { path: '/ops/audit', label: 'Audit' },
] as const;

export type Section = (typeof SECTIONS)[number]['path'];

const Document = ({ title, children }: { title: string; children: Child }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="robots" content="noindex" />
      <title>{`${title} · Holdfast`}</title>
      <link rel="icon" href="/ops/assets/icon.svg" type="image/svg+xml" />
      <link rel="stylesheet" href="/ops/assets/ops.css" />
      <script src="/ops/assets/ops.js" defer></script>
    </head>
    <body>{children}</body>
  </html>
);

const Brand = () => (
  <span class="brand">
    <img src="/ops/assets/icon.svg" alt="" width="22" height="22" /> Holdfast
  </span>
);

const Notice = ({ flash }: { flash: Flash | undefined }) =>
  flash ? (
    <p class={`flash ${flash.kind}`} role={flash.kind === 'error' ? 'alert' : 'status'}>
      <span aria-hidden="true">{flash.kind === 'error' ? '✕' : '✓'}</span> {flash.message}
    </p>
  ) : null;

/** The frame of every page for someone who is signed in. */
export const Layout = (props: {
  title: string;
  section: Section;
  session: Session;
  openFailures: number | undefined;
  flash: Flash | undefined;
  /** Where live updates of this page come from. */
  live?: string | undefined;
  children: Child;
}) => (
  <Document title={props.title}>
    <a class="skip" href="#main">
      Skip to content
    </a>
    <header class="side">
      <Brand />
      <nav aria-label="Sections">
        <ul>
          {SECTIONS.map(({ path, label }) => (
            <li>
              <a href={path} aria-current={path === props.section ? 'page' : undefined}>
                {label}
                {path === '/ops/failures' && props.openFailures ? (
                  <span class="count">
                    {number(props.openFailures)}
                    <span class="unseen"> open</span>
                  </span>
                ) : null}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <form method="post" action="/ops/sign-out" class="sign-out">
        <input type="hidden" name="csrf" value={props.session.csrf} />
        <button type="submit" class="plain">
          Sign out
        </button>
      </form>
    </header>
    <main id="main" tabindex={-1} {...(props.live ? { 'data-live': props.live } : {})}>
      <Notice flash={props.flash} />
      <p class="unseen" role="status" data-announce></p>
      {props.children}
    </main>
  </Document>
);

/** The frame of the pages for someone who is not. */
export const BareLayout = ({ title, flash, children }: { title: string; flash?: Flash | undefined; children: Child }) => (
  <Document title={title}>
    <main id="main" class="bare">
      <Brand />
      <Notice flash={flash} />
      {children}
    </main>
  </Document>
);

/** The head of a page. */
export const PageHead = ({ title, children }: { title: Child; children?: Child }) => (
  <div class="page-head">
    <h1>{title}</h1>
    {children}
  </div>
);

/** A part of a page with a heading of its own. */
export const Panel = ({ title, id, note, children }: { title: string; id: string; note?: Child; children: Child }) => (
  <section class="panel" aria-labelledby={`${id}-title`}>
    <div class="panel-head">
      <h2 id={`${id}-title`}>{title}</h2>
      {note}
    </div>
    {children}
  </section>
);

/**
 * A table that scrolls on its own where it is too wide. On a phone each row becomes a card: `data-label` of a cell
 * names it there.
 */
export const Table = ({ label, columns, children }: { label: string; columns: Child[]; children: Child }) => (
  <div class="scroll" role="region" aria-label={label} tabindex={0}>
    <table>
      <thead>
        <tr>
          {columns.map((column) => (
            <th scope="col">{column}</th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </div>
);

/** Names and values of one thing. */
export const Facts = ({ of }: { of: [name: string, value: Child][] }) => (
  <dl class="facts">
    {of.map(([name, value]) => (
      <div>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);

/** Said where there is nothing to show. */
export const Empty = ({ children }: { children: Child }) => <p class="empty">{children}</p>;

/** The parts of a page that change while it is open, by the id of the element that each fills. */
export type Regions = Record<string, Child>;

/** Where a part of a page that changes is shown. */
export const Region = ({ id, of }: { id: string; of: Regions }) => <div id={id}>{of[id]}</div>;
