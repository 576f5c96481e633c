import type { Hono } from 'hono';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { orderActions } from './actions.ts';
import { orderList } from './list.tsx';
import { orderPage } from './one.tsx';

/** The orders: search, each one's story, and what can be done about it. */
export function orderPages(app: Hono<PageEnv>, deps: PageDependencies): void {
  orderList(app, deps);
  orderPage(app, deps);
  orderActions(app, deps);
}
