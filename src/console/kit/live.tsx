import { setTimeout as after } from 'node:timers/promises';
import type { Hono } from 'hono';
import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import { countStream } from '../../metrics/streams.ts';
import { countOpenFailures } from '../../queries/failures.ts';
import type { PageContext, PageDependencies, PageEnv, Session } from '../environment.ts';
import { findSession } from '../sign-in/sessions.ts';
import { OPEN_FAILURES, OpenFailures, Panel, type Section } from './layout.tsx';
import { respond } from './respond.tsx';

/** A part of a live page. With a title it is a panel. */
export interface Part {
  id: string;
  title?: string;
  /** Beside the title. Not updated, and neither is `fixed`. */
  note?: Child;
  fixed?: Child;
  content: Child;
}

/** A page that stays up to date while it is open. */
export interface LivePage<Seen> {
  section: Section;
  /** ms between two reads */
  every: number;
  read: (c: PageContext) => Promise<Seen>;
  title: (seen: Seen) => string;
  hint?: (seen: Seen) => Child;
  parts: (seen: Seen, session: Session) => Part[];
  /** What a screen reader says when it changes. */
  announce: (seen: Seen) => string;
  /** Whether nothing will change any more. */
  isOver?: (seen: Seen) => boolean;
}

/** Adds a live page, and below it `/live`, the stream of its updates. */
export function livePage<Seen>(app: Hono<PageEnv>, deps: PageDependencies, path: string, page: LivePage<Seen>): void {
  app.get(path, async (c) => {
    const seen = await page.read(c);
    const { pathname, search } = new URL(c.req.url);
    return respond(c, deps, {
      title: page.title(seen),
      section: page.section,
      hint: page.hint?.(seen),
      live: `${pathname.replace(/\/$/, '')}/live${search}`,
      children: page.parts(seen, c.var.session).map((part) => <LivePart part={part} />),
    });
  });

  app.get(`${path.replace(/\/$/, '')}/live`, (c) => streamUpdates(c, deps, page));
}

/** What a stream of updates needs of a page. */
type Stream<Seen> = Pick<LivePage<Seen>, 'every' | 'read' | 'parts' | 'announce' | 'isOver'>;

/** Streams an event `update` when something changed, and `end` when nothing more will. Stops when the session ends. */
export function streamUpdates<Seen>(c: PageContext, deps: PageDependencies, page: Stream<Seen>): Response {
  const { db, openStream, stopping, report } = deps;
  const closeStream = openStream(c.var.caller.keyId);
  // Otherwise a proxy may buffer the events.
  c.header('X-Accel-Buffering', 'no');
  const { token } = c.var.session;
  const signal = AbortSignal.any([stopping, c.req.raw.signal]);
  const write = async (stream: SSEStreamingApi): Promise<void> => {
    let last = '';
    while (!signal.aborted && (await findSession(db, token))) {
      const seen = await page.read(c);
      const fragments: Record<string, string> = {};
      fragments[OPEN_FAILURES] = String(await html`${<OpenFailures count={await countOpenFailures(db)} />}`);
      for (const part of page.parts(seen, c.var.session)) fragments[regionOf(part)] = String(await html`${part.content}`);
      const data = JSON.stringify({ fragments, announcement: page.announce(seen) });
      if (data !== last) await stream.writeSSE({ event: 'update', data, retry: 1_000 });
      last = data;
      if (page.isOver?.(seen)) return await stream.writeSSE({ event: 'end', data: '' });
      await after(page.every, undefined, { signal }).catch(() => {});
    }
  };
  const writeOrReport = (stream: SSEStreamingApi): Promise<void> =>
    write(stream).catch((error: unknown) => {
      // Hono would print a failed query with its parameters. The browser asks again, so ending the stream is enough.
      if (!signal.aborted) report(error, c.var.requestId);
    });
  return streamSSE(c, (stream) => countStream(() => writeOrReport(stream)).finally(closeStream));
}

const regionOf = ({ id, title }: Part): string => (title === undefined ? id : `${id}-now`);

const LivePart = ({ part }: { part: Part }) => {
  const { id, title, note, fixed, content } = part;
  const region = <div id={regionOf(part)}>{content}</div>;
  if (title === undefined) return region;
  return (
    <Panel title={title} id={id} note={note}>
      {fixed}
      {region}
    </Panel>
  );
};
