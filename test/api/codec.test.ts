import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadPayloadKeys } from '../../src/config.ts';
import { closeSession, findSession, openSession } from '../../src/console/sign-in/sessions.ts';
import { EncryptionCodec } from '../../src/temporal/payloads/codec.ts';
import { jsonOf, jsonPayloadSchema, payloadOf } from '../../src/temporal/payloads/json.ts';
import { keepLog } from '../support/kept-log.ts';
import { codec } from '../support/payloads.ts';
import { call, startTestApi, type TestApi } from './support/api.ts';

/** Where the Web UI of the test API is. */
const WEB_UI = 'http://ui.test';
const SECRET = 'the tea was cold';

let api: TestApi;
let cookie: string;
const { log, lines } = keepLog('trace');
beforeAll(async () => {
  api = await startTestApi({ log });
  cookie = `holdfast_session=${await openSession(api.db, { keyId: api.keys.operator.id, role: 'operator' }, api.keys.operator.key)}`;
});
afterAll(() => api.close());

const clear = () => ({ payloads: [jsonOf(defaultPayloadConverter.toPayload(SECRET))] });
const encrypted = async (by = codec) => ({ payloads: (await by.encode(clear().payloads.map(payloadOf))).map(jsonOf) });

/** @returns the payloads of an answer */
const payloadsOf = (body: unknown) => z.object({ payloads: z.array(jsonPayloadSchema) }).parse(body).payloads.map(payloadOf);
const valuesOf = (body: unknown) => payloadsOf(body).map((payload): unknown => defaultPayloadConverter.fromPayload(payload));

/** Asks as a page in the operator's browser does. */
const asPage = async (origin: string | undefined, changes: { text?: string; headers?: Record<string, string> } = {}) =>
  call(api, 'POST', '/codec/decode', {
    ...(changes.text === undefined ? { body: await encrypted() } : { text: changes.text }),
    headers: { Cookie: cookie, ...(origin === undefined ? {} : { Origin: origin }), ...changes.headers },
  });

const preflight = (origin: string) =>
  call(api, 'OPTIONS', '/codec/decode', {
    headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type,x-namespace' },
  });

describe('the codec', () => {
  it('decodes and encodes for an operator with a key, as Temporal’s command line asks', async () => {
    const { key } = api.keys.operator;
    const decoded = await call(api, 'POST', '/codec/decode?preserveStorageRefs=true', { key, body: await encrypted() });
    expect(decoded.status).toBe(200);
    expect(decoded.headers.get('Cache-Control')).toBe('no-store');
    expect(valuesOf(decoded.body)).toEqual([SECRET]);

    const { body } = await call(api, 'POST', '/codec/encode', { key, body: clear() });
    expect(JSON.stringify(body)).not.toContain(clear().payloads[0]?.data);
    expect(await codec.decode(payloadsOf(body))).toMatchObject([{ data: Buffer.from(JSON.stringify(SECRET)) }]);
  });

  it('returns what is not encrypted as it is', async () => {
    const { body } = await call(api, 'POST', '/codec/decode', { key: api.keys.operator.key, body: clear() });
    expect(body).toEqual(clear());
  });

  it.each(['decode', 'encode'])('refuses everyone else to %s', async (work) => {
    const status = async (key?: string) =>
      (await call(api, 'POST', `/codec/${work}`, { ...(key === undefined ? {} : { key }), body: clear() })).status;
    expect(await status()).toBe(401);
    expect(await status('hf_operator_guessed')).toBe(401);
    expect(await status(api.keys.customer.key)).toBe(403);
    expect(await status(api.keys.support.key)).toBe(403);
  });

  it('names a key that it does not have', async () => {
    const other = new EncryptionCodec(loadPayloadKeys({ PAYLOAD_KEYS: `lost:${Buffer.alloc(32).toString('base64')}` }));
    const answer = await call(api, 'POST', '/codec/decode', { key: api.keys.operator.key, body: await encrypted(other) });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ detail: expect.stringContaining('the key "lost"') }] } });
  });

  it('is not part of the documented API', async () => {
    expect(JSON.stringify((await call(api, 'GET', '/openapi.json')).body)).not.toContain('codec');
  });
});

describe('a page in the browser of a signed-in operator', () => {
  it('reads payloads when it is the Web UI', async () => {
    const { status, headers } = await preflight(WEB_UI);
    expect(status).toBe(204);
    expect(headers.get('Access-Control-Allow-Origin')).toBe(WEB_UI);
    expect(headers.get('Access-Control-Allow-Credentials')).toBe('true');
    const answer = await asPage(WEB_UI);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(WEB_UI);
    expect(valuesOf(answer.body)).toEqual([SECRET]);
  });

  it.each(['https://evil.example', 'http://ui.test.evil.example', 'http://ui.test:4010', 'https://ui.test', 'null'])(
    'is refused at %s, and its browser is told so before',
    async (origin) => {
      expect((await preflight(origin)).headers.get('Access-Control-Allow-Origin')).toBeNull();
      const answer = await asPage(origin);
      expect(answer.status).toBe(403);
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
      expect(JSON.stringify(answer.body)).not.toContain('payloads');
    },
  );

  it('is refused when its browser does not say where it is', async () => {
    expect((await asPage(undefined)).status).toBe(403);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])(
    'is refused with %s, for which browsers do not ask first',
    async (type) => {
      const text = JSON.stringify(await encrypted());
      expect((await asPage(WEB_UI, { text, headers: { 'Content-Type': type } })).status).toBe(415);
      expect((await asPage('https://evil.example', { text, headers: { 'Content-Type': type } })).status).toBe(403);
    },
  );

  it('is refused with a key that is no operator’s, although there is a session', async () => {
    const answer = await asPage(WEB_UI, { headers: { Authorization: `Bearer ${api.keys.support.key}` } });
    expect(answer.status).toBe(403);
  });

  it('is refused with the session of somebody who is no operator', async () => {
    const token = await openSession(api.db, { keyId: api.keys.support.id, role: 'support' }, api.keys.support.key);
    const answer = await asPage(WEB_UI, { headers: { Cookie: `holdfast_session=${token}` } });
    expect(answer.status).toBe(403);
  });

  it('is refused after the operator has signed out', async () => {
    const token = await openSession(api.db, { keyId: api.keys.operator.id, role: 'operator' }, api.keys.operator.key);
    const session = await findSession(api.db, token);
    if (session) await closeSession(api.db, session);
    const answer = await asPage(WEB_UI, { headers: { Cookie: `holdfast_session=${token}` } });
    expect(answer.status).toBe(401);
  });
});

it('logs who asked, and nothing of what', async () => {
  const text = lines.join('');
  expect(text).toContain('/codec/decode');
  expect(text).toContain(api.keys.operator.id);
  expect(text).not.toContain(SECRET);
  expect(text).not.toContain(clear().payloads[0]?.data);
});
