import { createPages } from '../console/index.tsx';
import { describeError } from '../describe-error.ts';
import type { Api, Dependencies } from './environment.ts';
import { PROBLEMS, toProblem } from './errors.ts';
import { checkPart } from './readiness.ts';

/** Adds the operator's page at `/ops`. It has its own sessions: API keys in a header do not work there. */
export function mountPages(api: Api, deps: Dependencies): void {
  const { db, temporal, keys, links, readiness, limits, clientAddress, publicUrl, timeZone, stopping, log } = deps;
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
      countFailedSignIn: async (c) => (await limits.afterFailedSignIn(c))?.headers,
      clientAddress,
      publicUrl,
      timeZone,
      stopping,
      log,
      report: (error, requestId) => {
        const { type, message } = toProblem(error);
        const title = PROBLEMS[type].title;
        const status = PROBLEMS[type].status === 503 ? 503 : 500;
        log[status === 503 ? 'warn' : 'error']({ requestId, ...describeError(error) }, title);
        return { status, title, detail: message };
      },
    }),
  );
}
