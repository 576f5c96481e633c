import type { Hono } from 'hono';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { replayList } from './list.tsx';
import { newReplay } from './new.tsx';
import { replayPage } from './one.tsx';

/** Bulk actions: what one would do, beginning one, and each one's progress. */
export function replayPages(app: Hono<PageEnv>, deps: PageDependencies): void {
  replayList(app, deps);
  newReplay(app, deps);
  replayPage(app, deps);
}
