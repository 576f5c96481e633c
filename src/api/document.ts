import { ACCESS, isOperationId, type Audience } from './access.ts';
import type { Api } from './environment.ts';
import { exampleName, PROBLEMS, PROBLEM_TYPES, problemUri } from './errors.ts';
import { exampleOf } from './examples/problems.ts';
import { header } from './schemas/header.ts';

type Document = ReturnType<Api['getOpenAPI31Document']>;
type PathItem = NonNullable<Document['paths']>[string];
type Operation = NonNullable<PathItem['get']>;

/** What the document says about the callers of an operation. */
const NOTES: Record<Audience, { security: Record<string, string[]>[]; sentence: string }> = {
  everyone: { security: [], sentence: 'No API key is needed.' },
  tokenHolder: { security: [], sentence: 'The token is the credential: no API key is needed.' },
  warehouse: { security: [{ warehouseSignature: [] }], sentence: 'For the warehouse. The signature is the credential.' },
  paymentProvider: { security: [{ stripeSignature: [] }], sentence: 'For the payment provider. The signature is the credential.' },
  anyKey: { security: [{ apiKey: [] }], sentence: 'For every API key. A customer reaches only what the same key created.' },
  staff: { security: [{ apiKey: [] }], sentence: 'For API keys with the role support or operator.' },
  operators: { security: [{ apiKey: [] }], sentence: 'For API keys with the role operator.' },
};

const TAGS = [
  { name: 'Catalogue', description: 'What is on sale.' },
  { name: 'Orders', description: 'Placing an order, and following it.' },
  { name: 'Signups', description: 'Signing up, verifying the address, and subscribing.' },
  { name: 'Webhooks', description: 'What the warehouse and the payment provider report.' },
  { name: 'Reports', description: 'The figures of each week.' },
  { name: 'Operations', description: 'What operators see and do.' },
  { name: 'Health', description: 'For load balancers and orchestrators.' },
];

const DESCRIPTION = `An online shop's orders and signups. Amounts are in minor units; times are ISO 8601, UTC.

A text is one line, is trimmed, and must be visible. The name of a person must not contain a link.

A POST that creates something takes an \`Idempotency-Key\`. A request that is repeated with the same key is executed once.

Errors are problem details (RFC 9457). Their \`type\` is stable:

| type | status | title |
| --- | --- | --- |
${PROBLEM_TYPES.map((type) => `| \`${problemUri(type)}\` | ${PROBLEMS[type].status} | ${PROBLEMS[type].title} |`).join('\n')}
`;

/**
 * @param api with all its operations
 * @returns its OpenAPI document
 * @throws Error for an operation that is missing in `ACCESS`
 */
export function describeApi(api: Api): Document {
  const { openAPIRegistry: registry } = api;
  registry.registerComponent('securitySchemes', 'apiKey', { type: 'http', scheme: 'bearer', description: 'An API key.' });
  registry.registerComponent('securitySchemes', 'warehouseSignature', {
    type: 'apiKey',
    in: 'header',
    name: 'webhook-signature',
    description: 'Signed as in Standard Webhooks (https://www.standardwebhooks.com).',
  });
  registry.registerComponent('securitySchemes', 'stripeSignature', {
    type: 'apiKey',
    in: 'header',
    name: 'Stripe-Signature',
    description: 'Signed as Stripe signs (https://docs.stripe.com/webhooks).',
  });
  const requestId = registry.registerComponent(
    'headers',
    'RequestId',
    header('The `X-Request-Id` of the request if it is usable, otherwise a new one. The log holds it'),
  );
  const rateLimit = registry.registerComponent(
    'headers',
    'RateLimit',
    header('How many requests are left (`r`), and for how many seconds that holds (`t`)', { required: false, example: '"key";r=499;t=10' }),
  );
  const rateLimitPolicy = registry.registerComponent(
    'headers',
    'RateLimitPolicy',
    header('How many requests (`q`) may come within how many seconds (`w`)', { required: false, example: '"key";q=500;w=10' }),
  );
  const headers = { 'X-Request-Id': requestId.ref, 'RateLimit': rateLimit.ref, 'RateLimit-Policy': rateLimitPolicy.ref };
  for (const type of PROBLEM_TYPES) registry.registerComponent('examples', exampleName(type), { value: exampleOf(type) });
  const document = api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Holdfast', version: '1', description: DESCRIPTION },
    servers: [{ url: '/' }],
    tags: TAGS,
  });
  for (const [path, { get, post }] of Object.entries(document.paths ?? {})) {
    for (const operation of [get, post]) if (operation) complete(operation, path, headers);
  }
  return document;
}

/** Adds what follows from where an operation is and whom it is for. @param headers that every answer may have */
function complete(operation: Operation, path: string, headers: Record<string, { $ref: string }>): void {
  const { operationId = '', description } = operation;
  if (!isOperationId(operationId)) throw new Error(`${path} is missing in ACCESS`);
  const { security, sentence } = NOTES[ACCESS[operationId]];
  operation.security = security;
  operation.description = description === undefined ? sentence : `${description}\n\n${sentence}`;
  const responses: Response[] = Object.values(operation.responses ?? {});
  for (const response of responses) {
    response.headers = { ...response.headers, ...headers };
  }
}

/** The part of an answer that is completed here. */
interface Response {
  headers?: object;
}
