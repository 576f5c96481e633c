import { webcrypto } from 'node:crypto';
import { ApplicationFailure, defaultPayloadConverter, type Payload } from '@temporalio/common';
import { decodeOptionalFailureToOptionalError, encodeErrorToFailure } from '@temporalio/common/lib/internal-non-workflow/codec-helpers.js';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/data-converter-helpers.js';
import proto from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { loadPayloadKeys } from '../../../src/config.ts';
import { EncryptionCodec, UndecodablePayloadError } from '../../../src/temporal/payloads/codec.ts';
import { createDataConverter } from '../../../src/temporal/payloads/data-converter.ts';

const OLD = `old:${Buffer.alloc(32, 1).toString('base64')}`;
const NEW = `new:${Buffer.alloc(32, 2).toString('base64')}`;

const codecWith = (keys: string) => new EncryptionCodec(loadPayloadKeys({ PAYLOAD_KEYS: keys }));
const VALUE = { reason: 'the tea was cold' };
const payload = defaultPayloadConverter.toPayload(VALUE);

async function encrypt(codec: EncryptionCodec): Promise<Payload & { data: Uint8Array }> {
  const [encrypted] = await codec.encode([payload]);
  if (!encrypted?.data) throw new Error('Nothing was encoded.');
  return { ...encrypted, data: encrypted.data };
}

const read = async (codec: EncryptionCodec, encrypted: Payload): Promise<unknown> => {
  const [decoded] = await codec.decode([encrypted]);
  return decoded && defaultPayloadConverter.fromPayload(decoded);
};
const metadataOf = ({ metadata }: Payload, name: string) => Buffer.from(metadata?.[name] ?? []).toString();

describe('the codec', () => {
  it('encrypts a payload as a whole, each time differently, and decrypts it', async () => {
    const codec = codecWith(NEW);
    const [first, second] = [await encrypt(codec), await encrypt(codec)];
    expect(metadataOf(first, 'encoding')).toBe('binary/encrypted');
    expect(metadataOf(first, 'encryption-key-id')).toBe('new');
    expect(Buffer.from(first.data).toString('latin1')).not.toMatch(/tea|json/);
    expect(Buffer.from(first.data).equals(second.data)).toBe(false);
    expect(await read(codec, first)).toEqual(VALUE);
  });

  it('has the format of Temporal’s samples: IV, ciphertext and tag of the whole payload', async () => {
    const { data } = await encrypt(codecWith(OLD));
    const key = await webcrypto.subtle.importKey('raw', Buffer.alloc(32, 1), 'AES-GCM', false, ['decrypt']);
    const plain = await webcrypto.subtle.decrypt({ name: 'AES-GCM', iv: data.subarray(0, 12) }, key, data.subarray(12));
    const decoded = proto.temporal.api.common.v1.Payload.decode(new Uint8Array(plain));
    expect(defaultPayloadConverter.fromPayload(decoded)).toEqual(VALUE);
  });

  it('encrypts with the first key, and decrypts with all', async () => {
    const rotated = codecWith(`${NEW},${OLD}`);
    const old = await encrypt(codecWith(OLD));
    expect(await read(rotated, old)).toEqual(VALUE);
    expect(rotated.isCurrent(old)).toBe(false);
    const fresh = await encrypt(rotated);
    expect(metadataOf(fresh, 'encryption-key-id')).toBe('new');
    expect(rotated.isCurrent(fresh)).toBe(true);
  });

  it('decodes what is not encrypted as it is', async () => {
    expect(await codecWith(NEW).decode([payload])).toEqual([payload]);
    expect(codecWith(NEW).isCurrent(payload)).toBe(false);
  });

  it('encrypts nothing when it is turned off, and still decrypts', async () => {
    const off = codecWith(`none,${OLD}`);
    expect(await off.encode([payload])).toEqual([payload]);
    expect(await read(off, await encrypt(codecWith(OLD)))).toEqual(VALUE);
  });

  it('names a key that it does not have, and no secret', async () => {
    const refusal = codecWith(NEW).decode([await encrypt(codecWith(OLD))]);
    await expect(refusal).rejects.toThrow(UndecodablePayloadError);
    await expect(refusal).rejects.toThrow(/^A payload is encrypted with the key "old", which is not among PAYLOAD_KEYS\.$/);
  });

  it('refuses data that was changed or cut off, and another key of the same name', async () => {
    const codec = codecWith(OLD);
    const encrypted = await encrypt(codec);
    for (const position of [0, 12, encrypted.data.length - 1]) {
      const data = Uint8Array.from(encrypted.data);
      data[position] = (data[position] ?? 0) ^ 1;
      await expect(codec.decode([{ ...encrypted, data }])).rejects.toThrow(UndecodablePayloadError);
    }
    for (const length of [0, 12, 20, encrypted.data.length - 1]) {
      const data = encrypted.data.subarray(0, length);
      await expect(codec.decode([{ ...encrypted, data }])).rejects.toThrow(UndecodablePayloadError);
    }
    await expect(codecWith(NEW.replace('new', 'old')).decode([encrypted])).rejects.toThrow('the key "old"');
  });
});

describe('a failure', () => {
  it('hides its messages and stack traces, those of its causes included, and keeps its type', async () => {
    const converter = loadDataConverter(createDataConverter(loadPayloadKeys({ PAYLOAD_KEYS: NEW })));
    const cause = new Error('Ada is not at home');
    const error = ApplicationFailure.create({ message: 'Not delivered to Ada', type: 'address', cause, details: ['Ada'] });
    const failure = await encodeErrorToFailure(converter, error);
    const sent = Buffer.from(proto.temporal.api.failure.v1.Failure.encode(failure).finish()).toString('latin1');
    expect(sent).not.toMatch(/Ada|codec\.test/);
    expect(sent).toContain('address');
    expect(await decodeOptionalFailureToOptionalError(converter, failure)).toMatchObject({
      message: 'Not delivered to Ada',
      stack: expect.stringContaining('codec.test'),
      type: 'address',
      details: ['Ada'],
      cause: { message: 'Ada is not at home' },
    });
  });
});
