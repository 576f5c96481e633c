import { readBooks } from '../../../queries/books.ts';
import { booksSchema, booksView } from '../../../views/books.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { books } from '../../examples/operations.ts';
import { queryRoute } from '../../read-operation.ts';
import { limitQuery } from '../../schemas/page.ts';

const route = queryRoute(
  'getBooks',
  '/v1/ops/books',
  {
    summary: 'What reconciliation found',
    description:
      'Postgres is compared with Temporal, the payment provider and the warehouse: every minute what changed, every night everything. A difference that lasts is a failure of kind `discrepancy`.',
  },
  limitQuery,
  booksSchema,
  { oneDifference: books },
);

export const getBooks = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => c.json(booksView(await readBooks(db, c.req.valid('query').limit)), 200));
