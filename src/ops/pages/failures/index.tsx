import type { Hono } from 'hono';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { failureActions } from './actions.ts';
import { failureList } from './list.tsx';
import { failurePage } from './one.tsx';

/** What needs, or needed, a person: the list, each one's page, and what can be done about it. */
export function failurePages(app: Hono<PageEnv>, deps: PageDependencies): void {
  failureList(app, deps);
  failurePage(app, deps);
  failureActions(app, deps);
}
