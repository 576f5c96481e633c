import { failureFilterSchema } from '../../../contracts/failure-filter.ts';
import { listFailures as list } from '../../../queries/failures.ts';
import { failureSchema, failureView } from '../../../views/failure.ts';
import { cutPage, pageOf } from '../../../views/page.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { openFailure } from '../../examples/failures.ts';
import { queryRoute } from '../../read-operation.ts';
import { pageQuery } from '../../schemas/page.ts';

const route = queryRoute(
  'listFailures',
  '/v1/ops/failures',
  { summary: 'Failures, newest first' },
  pageQuery.extend(failureFilterSchema.shape),
  pageOf(failureSchema),
  { lastPage: { data: [openFailure], nextCursor: null } },
);

export const listFailures = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query');
    const { page, nextCursor } = cutPage(await list(db, filter, { limit, cursor }), limit, ({ id }) => id);
    return c.json({ data: page.map((failure) => failureView(failure, links)), nextCursor }, 200);
  });
