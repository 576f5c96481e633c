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
      openStream: (keyId) => limits.openStream(keyId),
      clientAddress,
      publicUrl,
      timeZone,
      stopping,
      log,
      report: (error, requestId) => {
        const { type, message, headers } = toProblem(error);
        const { status: known, title } = PROBLEMS[type];
        const status = known === 429 || known === 503 ? known : 500;
        log[status === 500 ? 'error' : 'warn']({ requestId, ...describeError(error) }, title);
        return { status, title, detail: message, headers };
      },
    }),
  );
}
