import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPersonalData } from '../../../src/temporal/histories/golden.ts';
import { HISTORIES } from '../../support/histories.ts';

/** @returns a golden history with this payload */
const holding = (data: string, encoding = 'json/plain') =>
  JSON.stringify({
    workflowId: 'order/1',
    events: [{ input: { payloads: [{ metadata: { encoding: btoa(encoding) }, data: btoa(data) }] } }],
  });

describe('a golden history', () => {
  it('must not hold an email address, or a payload that cannot be read', () => {
    expect(findPersonalData(holding('{"email":"ada@example.com"}'))).toBe('an email address in a payload');
    expect(findPersonalData(JSON.stringify({ failure: { message: 'no mail to ada@example.com' } }))).toBe('an email address');
    expect(findPersonalData(holding('x', 'binary/encrypted'))).toContain('cannot be read');
    expect(findPersonalData(holding('{"orderId":"1"}'))).toBeUndefined();
  });

  it('of this repository holds neither', async () => {
    expect(findPersonalData(await readFile(join(HISTORIES, 'order-delivered.json'), 'utf8'))).toBeUndefined();
  });
});
