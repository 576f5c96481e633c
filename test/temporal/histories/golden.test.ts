import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultPayloadConverter } from '@temporalio/common';
import { decryptHistory } from '../../../src/temporal/histories/clear-text.ts';
import { findPersonalData, toGolden } from '../../../src/temporal/histories/golden.ts';
import { HISTORIES, readable } from '../../support/histories.ts';
import { codec } from '../../support/payloads.ts';

/** @returns a golden history with this payload */
const holding = (data: string, encoding = 'json/plain') =>
  JSON.stringify({
    workflowId: 'order/1',
    events: [{ input: { payloads: [{ metadata: { encoding: btoa(encoding) }, data: btoa(data) }] } }],
  });

async function encrypt(value: unknown) {
  const [payload] = await codec.encode([defaultPayloadConverter.toPayload(value)]);
  return payload ?? {};
}

describe('a golden history', () => {
  it('must not hold an email address, or a payload that cannot be read', () => {
    expect(findPersonalData(holding('{"email":"ada@example.com"}'))).toBe('an email address in a payload');
    expect(findPersonalData(JSON.stringify({ failure: { message: 'no mail to ada@example.com' } }))).toBe('an email address');
    expect(findPersonalData(holding('x', 'binary/encrypted'))).toContain('cannot be read');
    expect(findPersonalData(holding('{"orderId":"1"}'))).toBeUndefined();
  });

  it('is in clear text, whatever the run was encrypted with', async () => {
    const failure = {
      message: 'Encoded failure',
      encodedAttributes: await encrypt({ message: 'No tea left.', stack_trace: 'at /app/dist/order.js:1' }),
      applicationFailureInfo: { type: 'out_of_stock', details: { payloads: [await encrypt('TEA-EARL-GREY')] } },
    };
    const history = { events: [{ workflowExecutionFailedEventAttributes: { failure } }] };
    const text = readable(toGolden('order/1', decryptHistory(history, codec)));
    expect(text).toContain('No tea left.');
    expect(text).toContain('TEA-EARL-GREY');
    expect(text).not.toMatch(/order\.js|encodedAttributes|encrypted/);
  });

  it('of this repository holds neither', async () => {
    expect(findPersonalData(await readFile(join(HISTORIES, 'order-delivered.json'), 'utf8'))).toBeUndefined();
  });
});
