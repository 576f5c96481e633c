import { describe, expect, it } from 'vitest';
import { ConfigError, loadApiConfig, loadOpsConfig, loadPayloadKeys, loadWorkerConfig } from '../../../src/config.ts';

const base64 = (fill: number): string => Buffer.alloc(32, fill).toString('base64');
const load = (PAYLOAD_KEYS: string) => loadPayloadKeys({ PAYLOAD_KEYS });

describe('PAYLOAD_KEYS', () => {
  it('names the key that encrypts first, and then earlier ones', () => {
    const { current, byId } = load(`key-2:${base64(2)}, key-1:${base64(1)}`);
    expect(current?.id).toBe('key-2');
    expect([...byId.keys()]).toEqual(['key-2', 'key-1']);
  });

  it('may turn encryption off, and keep the keys that decrypt', () => {
    expect(load('none')).toEqual({ current: undefined, byId: new Map() });
    const { current, byId } = load(`none,key-1:${base64(1)}`);
    expect(current).toBeUndefined();
    expect([...byId.keys()]).toEqual(['key-1']);
  });

  it.each([
    ['no id', base64(9)],
    ['a key that is too short', `key-1:${Buffer.alloc(31, 9).toString('base64')}`],
    ['a key that is no Base64', `key-1:${'*'.repeat(44)}`],
    ['nothing after a comma', `key-1:${base64(9)},`],
    ['"none" in another place', `key-1:${base64(9)},none`],
    ['an id twice', `key-1:${base64(9)},key-1:${base64(8)}`],
  ])('with %s is refused without repeating a key', (_, text) => {
    let message = '';
    try {
      load(text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      message = error.message;
    }
    expect(message).toContain('PAYLOAD_KEYS');
    for (const key of text.split(/[,:]/).filter((part) => part.length > 20)) expect(message).not.toContain(key);
  });

  it.each([
    ['API', loadApiConfig],
    ['worker', loadWorkerConfig],
    ['command line', loadOpsConfig],
    ['history check', loadPayloadKeys],
  ])('is required by the %s in production, and the error says how to make one', (_, loadConfig) => {
    const production = { NODE_ENV: 'production', PAYLOAD_KEYS: '' };
    expect(() => loadConfig(production)).toThrow(/PAYLOAD_KEYS: .*openssl rand -base64 32/);
    expect(loadPayloadKeys({}).current).toBeUndefined();
  });
});
