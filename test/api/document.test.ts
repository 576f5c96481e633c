import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Spectral } from '@stoplight/spectral-core';
import { oas } from '@stoplight/spectral-rulesets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, startTestApi, type TestApi } from './support/api.ts';
import { document, DOCUMENT_FILE, faultsOf, OPERATIONS, valueOf } from './support/document.ts';

// What the rules that are left out ask for does not fit here. What an event holds is text within a stream, so nothing refers to its
// schema. An operation that takes no key and no input refuses nobody.
const LEFT_OUT_OF_REDOCLY = { 'info-license': 'off', 'operation-4xx-response': 'off', 'no-unused-components': 'off' } as const;
const LEFT_OUT_OF_SPECTRAL: (string | number)[] = ['info-contact', 'oas3-unused-component'];

const text = readFileSync(DOCUMENT_FILE, 'utf8');

describe('the checked-in OpenAPI document', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());

  it('is what the API serves: otherwise run `npm run openapi`', async () => {
    expect((await call(api, 'GET', '/openapi.json')).body).toEqual(JSON.parse(text));
  });

  it('is as Redocly recommends', async () => {
    const config = await createConfig({ extends: ['recommended'], rules: LEFT_OUT_OF_REDOCLY });
    const problems = await lintFromString({ source: text, absoluteRef: 'openapi.json', config });
    expect(problems.map(({ ruleId, message, location }) => ({ ruleId, message, pointer: location[0]?.pointer }))).toEqual([]);
  });

  it('is as Spectral recommends', { timeout: 120_000 }, async () => {
    const spectral = new Spectral();
    spectral.setRuleset({ ...oas, extends: [] });
    const problems = (await spectral.run(text)).filter(({ code }) => !LEFT_OUT_OF_SPECTRAL.includes(code));
    expect(problems.map(({ code, message, path }) => ({ code, message, path: path.join('/') }))).toEqual([]);
  });
});

/** Every object within a value, with the path to it. */
function* objectsIn(value: unknown, path: string): Generator<{ path: string; fields: Record<string, unknown> }> {
  if (typeof value !== 'object' || value === null) return;
  const fields: Record<string, unknown> = { ...value };
  if (!Array.isArray(value)) yield { path, fields };
  for (const [name, part] of Object.entries(fields)) {
    if (name !== 'example' && name !== 'examples') yield* objectsIn(part, `${path}/${name}`);
  }
}

const SCHEMAS = [...objectsIn(JSON.parse(text), '')];

/** The content of every body and answer. */
const CONTENTS = OPERATIONS.flatMap(({ operationId, requestBody, responses }) =>
  [
    { where: `the body of ${operationId}`, content: requestBody?.content ?? {} },
    ...Object.entries(responses).map(([status, { content }]) => ({ where: `${operationId} ${status}`, content })),
  ].flatMap(({ where, content }) => Object.entries(content).map(([type, described]) => ({ where, type, ...described }))),
);

/** What only some engines know: properties, look-arounds and back-references. */
const UNPORTABLE = /\\[pPuk]|\(\?[^:]|\\[1-9]/;

/** @returns whether a named schema of the document takes a value */
function takes(name: string, value: unknown): boolean {
  const schema = document.components.schemas[name];
  if (!schema) throw new Error(`no schema ${name}`);
  return faultsOf(schema, value).length === 0;
}

const ID = '0197d0a0-7c1e-7b34-9d5a-3f2e8c6b1a90';
const ADDRESS = { line1: 'St James Square 12', city: 'London', postalCode: 'SW1Y 4JH', country: 'GB' };

describe('a client developer', () => {
  it('calls each operation by a name of its own', () => {
    const names = OPERATIONS.map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z]+([A-Z][a-z]+)*$/.test(name))).toEqual([]);
  });

  it('finds an example of each body and answer, and each is valid', () => {
    const contents = CONTENTS.filter(({ type }) => type !== 'application/pdf');
    expect(contents.filter(({ examples }) => Object.keys(examples).length === 0)).toEqual([]);
    const faults = contents.flatMap(({ where, schema, examples }) =>
      Object.entries(examples).flatMap(([name, example]) => faultsOf(schema, valueOf(example)).map((fault) => ({ where, name, fault }))),
    );
    expect(faults).toEqual([]);
  });

  it('finds no default that its own schema refuses', () => {
    const withDefault = SCHEMAS.filter(({ fields }) => 'default' in fields && 'type' in fields);
    expect(withDefault.length).toBeGreaterThan(0);
    expect(withDefault.filter(({ fields }) => faultsOf(fields, fields['default']).length > 0)).toEqual([]);
  });

  it('can use each pattern in any language, with or without flags', () => {
    const patterns = SCHEMAS.flatMap(({ fields: { pattern } }) => (typeof pattern === 'string' ? [pattern] : []));
    expect(patterns.length).toBeGreaterThan(0);
    expect(patterns.filter((pattern) => UNPORTABLE.test(pattern))).toEqual([]);
    expect(() => patterns.map((pattern) => [new RegExp(pattern), new RegExp(pattern, 'u')])).not.toThrow();
  });

  it('never meets a closed schema that is a part of another', () => {
    expect(SCHEMAS.filter(({ fields }) => 'allOf' in fields).map(({ path }) => path)).toEqual([]);
  });

  it.each([
    ['a reason', true, { reason: 'again' }],
    ['an address', true, { reason: 'again', shippingAddress: ADDRESS }],
    ['an address in no country', false, { reason: 'again', shippingAddress: { ...ADDRESS, country: 'XX' } }],
    ['only spaces', false, { reason: '  ' }],
    ['two lines', false, { reason: 'one\ntwo' }],
  ])('may retry a failure with %s: %s', (_, valid, body) => {
    expect(takes('RetryFailure', body)).toBe(valid);
  });

  it.each([
    ['ResetFailure', { reason: 'again', eventId: 1e300 }],
    ['StripeEvent', { id: 'evt_1', type: 'refund.failed', created: 1e300, data: { object: {} } }],
  ])('finds how large a number may be in %s', (name, body) => {
    expect(takes(name, body)).toBe(false);
  });

  it.each([
    ['a filter', true, { filter: {} }],
    ['ids', true, { ids: [ID] }],
    ['neither', false, {}],
    ['both', false, { filter: {}, ids: [ID] }],
  ])('may start a bulk action with %s: %s', (_, valid, selection) => {
    expect(takes('BulkActionRequest', { action: 'retry', reason: 'again', ...selection })).toBe(valid);
  });
});

/** @returns the secret, the headers and the body that the description of an operation shows */
function exampleOf(id: string) {
  const { description = '' } = OPERATIONS.find(({ operationId }) => operationId === id) ?? {};
  const [, secret = ''] = /the secret `(.+?)`/.exec(description) ?? [];
  const [, lines = '', body = ''] = /```http\n([\s\S]+?)\n\n(.+)\n```/.exec(description) ?? [];
  const headers = Object.fromEntries(lines.split('\n').map((line) => line.split(': ', 2)));
  return { secret, headers: new Headers(headers), body };
}

describe('the example of a signature', () => {
  it('of the warehouse is right', () => {
    const { secret, headers, body } = exampleOf('receiveWarehouseWebhook');
    const signed = `${headers.get('webhook-id')}.${headers.get('webhook-timestamp')}.${body}`;
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    expect(headers.get('webhook-signature')).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  });

  it('of the payment provider is right', () => {
    const { secret, headers, body } = exampleOf('receiveStripeWebhook');
    const [, time = '', signature = ''] = /^t=(\d+),v1=(\w+)$/.exec(headers.get('Stripe-Signature') ?? '') ?? [];
    expect(signature).toBe(createHmac('sha256', secret).update(`${time}.${body}`).digest('hex'));
  });
});
