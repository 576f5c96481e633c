import { createPages } from '../ops/pages/index.tsx';
import type { Api, Dependencies } from './environment.ts';
import { checkPart } from './readiness.ts';

/** Adds the operator's page at `/ops`. It has sessions of its own; API keys in a header open nothing there. */
export function mountPages(api: Api, deps: Dependencies): void {
  const { db, temporal, keys, links, readiness, publicUrl, timeZone, stopping } = deps;
  api.route(
    '/ops',
    createPages({
      db,
      temporal,
      identify: (key) => keys.identify(key),
      health: [
        { part: 'Postgres', check: () => checkPart(readiness.postgres) },
        { part: 'Temporal', check: () => checkPart(readiness.temporal) },
      ],
      runUrl: (workflowId) => links.workflow(workflowId),
      publicUrl,
      timeZone,
      stopping,
    }),
  );
}
