import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Stripe } from 'stripe';
import { expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import * as params from '../../../src/sandbox/simulators/payments/params.ts';

// Stripe generates these declarations from its public OpenAPI description, whose version is in OPENAPI_VERSION next to them.
const declarations = dirname(createRequire(import.meta.url).resolve('stripe'));

/** The parameters in an interface of the declarations, including those for pagination. */
function described(file: string, name: string): string[] {
  const source = readFileSync(join(declarations, file), 'utf8');
  const body = new RegExp(`^export (?:declare )?interface ${name}( extends PaginationParams)? \\{\\n([^]*?)^\\}`, 'm').exec(source);
  if (!body) throw new Error(`${file} does not declare ${name}`);
  const own = [...(body[2] ?? '').matchAll(/^ {4}(\w+)\??:/gm)].map(([, parameter = '']) => parameter);
  return body[1] === undefined ? own : [...own, ...described('shared.d.ts', 'PaginationParams')];
}

test.each([
  ['resources/PaymentIntents.d.ts', 'PaymentIntentCreateParams', params.createIntentParams],
  ['resources/PaymentIntents.d.ts', 'PaymentIntentConfirmParams', params.confirmIntentParams],
  ['resources/PaymentIntents.d.ts', 'PaymentIntentCancelParams', params.cancelIntentParams],
  ['resources/PaymentIntents.d.ts', 'PaymentIntentListParams', params.listIntentsParams],
  ['resources/Refunds.d.ts', 'RefundCreateParams', params.createRefundParams],
  ['resources/Refunds.d.ts', 'RefundListParams', params.listRefundsParams],
  ['resources/Charges.d.ts', 'ChargeCreateParams', params.createChargeParams],
])('%s: %s has every parameter that the simulator accepts', (file, name, schema) => {
  expect(described(file, name)).toEqual(expect.arrayContaining(Object.keys(schema.shape)));
});

test('accepted parameters have the types that Stripe describes', () => {
  expectTypeOf<z.output<typeof params.createIntentParams>['amount']>().toEqualTypeOf<Stripe.PaymentIntentCreateParams['amount']>();
  expectTypeOf<z.output<typeof params.createIntentParams>['capture_method']>().toExtend<Stripe.PaymentIntentCreateParams['capture_method']>();
  expectTypeOf<z.output<typeof params.cancelIntentParams>['cancellation_reason']>().toExtend<
    Stripe.PaymentIntentCancelParams['cancellation_reason'] | undefined
  >();
  expectTypeOf<z.output<typeof params.createRefundParams>['reason']>().toExtend<Stripe.RefundCreateParams['reason'] | undefined>();
});
