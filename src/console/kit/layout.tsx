import type { Child } from 'hono/jsx';
import { mayUse } from '../access.ts';
import { HtmlDocument } from '../../html-document.tsx';
import type { Session } from '../environment.ts';
import { Csrf } from './forms.tsx';
import { number } from './format.tsx';

/** The result of the form that was just sent. */
export interface Flash {
  kind: 'done' | 'error';
  message: string;
}

const SECTIONS = [
  { path: '/ops', label: 'Overview' },
  { path: '/ops/failures', label: 'Failures' },
  { path: '/ops/orders', label: 'Orders' },
  { path: '/ops/signups', label: 'Signups' },
  { path: '/ops/bulk-actions', label: 'Bulk actions' },
  { path: '/ops/books', label: 'Books' },
  { path: '/ops/schedules', label: 'Schedules' },
  { path: '/ops/reports', label: 'Reports' },
  { path: '/ops/audit', label: 'Audit' },
] as const;

export type Section = (typeof SECTIONS)[number]['path'];

const Document = ({ title, children }: { title: string; children: Child }) => (
  <HtmlDocument title={`${title} · Holdfast`} icon="/ops/assets/icon.svg" styles="/ops/assets/ops.css" script="/ops/assets/ops.js">
    {children}
  </HtmlDocument>
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

/** One page: its heading, a hint beside it, and what is below. */
export interface Page {
  title: string;
  section: Section;
  hint?: Child;
  /** What was searched for, to be shown in the search box. */
  searched?: string;
  /** Where the page's live updates come from. */
  live?: string;
  children?: Child;
}

/** Where the menu says how many failures are open. Live, so that it agrees with the page. */
export const OPEN_FAILURES = 'open-failures';

export const OpenFailures = ({ count }: { count: number }) =>
  count === 0 ? null : (
    <span class="count">
      {number(count)}
      <span class="unseen"> open</span>
    </span>
  );

/** The frame of every page for somebody who is signed in. */
export const Layout = (props: Page & { session: Session; openFailures: number; flash: Flash | undefined }) => (
  <Document title={props.title}>
    <a class="skip" href="#main">
      Skip to content
    </a>
    <header class="side">
      <Brand />
      <form action="/ops/find" role="search" class="search">
        <input type="search" name="q" value={props.searched} placeholder="Search" aria-label="Search by id, number or email" maxlength={300} />
      </form>
      <button type="button" class="menu" popovertarget="sections">
        Menu
      </button>
      <nav id="sections" popover="auto" aria-label="Sections">
        <ul>
          {SECTIONS.filter(({ path }) => mayUse(props.session.caller, 'GET', path)).map(({ path, label }) => (
            <li>
              <a href={path} aria-current={path === props.section ? 'page' : undefined}>
                {label}
                {path === '/ops/failures' ? (
                  <span id={OPEN_FAILURES}>
                    <OpenFailures count={props.openFailures} />
                  </span>
                ) : null}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <form method="post" action="/ops/sign-out" class="sign-out">
        <Csrf session={props.session} />
        <p>
          Signed in as <b>{props.session.name}</b> <span class="role">{props.session.caller.role}</span>
        </p>
        <button type="submit" class="plain">
          Sign out
        </button>
      </form>
    </header>
    <main id="main" tabindex={-1} {...(props.live ? { 'data-live': props.live } : {})}>
      <Notice flash={props.flash} />
      <p class="unseen" role="status" data-announce></p>
      <div class="page-head">
        <h1>{props.title}</h1>
        {props.hint ? <p class="hint">{props.hint}</p> : null}
      </div>
      {props.children}
    </main>
  </Document>
);

/** The frame of pages without a session. */
export const BareLayout = ({ title, flash, children }: { title: string; flash?: Flash | undefined; children: Child }) => (
  <Document title={title}>
    <main id="main" class="bare">
      <Brand />
      <Notice flash={flash} />
      {children}
    </main>
  </Document>
);

/** A part of a page with its own heading. */
export const Panel = ({ title, id, note, children }: { title: string; id: string; note?: Child; children: Child }) => (
  <section class="panel" aria-labelledby={`${id}-title`}>
    <div class="panel-head">
      <h2 id={`${id}-title`}>{title}</h2>
      {note}
    </div>
    {children}
  </section>
);

/** A name and a value. Left out when there is no value. */
export type Fact = readonly [name: string, value: Child];

/** Facts about one thing. */
export const Facts = ({ of }: { of: readonly Fact[] }) => (
  <dl class="facts">
    {of
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
  </dl>
);

/** A figure and what it counts, e.g. `24 succeeded`. */
export interface Figure {
  value: string | number;
  label: string;
  bad?: boolean;
}

/** The figures that sum up a page. */
export const Figures = ({ of }: { of: Figure[] }) => (
  <ul class="figures">
    {of.map(({ value, label, bad }) => (
      <li class={bad ? 'bad' : undefined}>
        <strong>{typeof value === 'number' ? number(value) : value}</strong> {label}
      </li>
    ))}
  </ul>
);

/** What is wrong, in a sentence. */
export const Alarm = ({ children }: { children: Child }) => (
  <p class="alarm">
    <span aria-hidden="true">✕</span> {children}
  </p>
);

/** Shown in place of an empty list. */
export const Empty = ({ children }: { children: Child }) => <p class="empty">{children}</p>;
