import { Client, Connection } from '@temporalio/client';
import { Hono } from 'hono';
import type { PageDependencies, PageEnv } from '../../../src/console/environment.ts';
import { createPages } from '../../../src/console/index.tsx';
import type { Shop } from '../../support/shop.ts';

/** The address that the pages are asked at. */
export const ORIGIN = 'http://shop.test';

/**
 * Temporal cannot be reached: the page works with what Postgres knows.
 * @param changes of what it depends on
 * @returns the operator's page of a shop
 */
export function createTestPages({ db, log }: Pick<Shop, 'db' | 'log'>, changes: Partial<PageDependencies> = {}): Hono<PageEnv> {
  const deps: PageDependencies = {
    db,
    temporal: new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) }),
    identify: async () => undefined,
    health: [{ part: 'Temporal', check: async () => 'not answering' }],
    runUrl: (workflowId) => `http://ui.test/${workflowId}`,
    countFailedSignIn: async () => undefined,
    openStream: () => () => {},
    clientAddress: () => '127.0.0.1',
    publicUrl: ORIGIN,
    timeZone: 'Europe/Berlin',
    report: (error) => {
      throw error;
    },
    stopping: new AbortController().signal,
    log,
    ...changes,
  };
  return new Hono<PageEnv>().route('/ops', createPages(deps));
}
