import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { takeRandom } from '../../random.ts';
import type { PayloadKey, PayloadKeys } from './keys.ts';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** The names of Temporal's own samples, so that their tools read our payloads. */
const ENCODING = Buffer.from('binary/encrypted');
const KEY_ID = 'encryption-key-id';

const CIPHER = 'aes-256-gcm';
/** Bytes. The data is the IV, what is encrypted, and the tag that authenticates it. */
const IV = 12;
const TAG = 16;

/** Thrown for a payload that cannot be decoded. The message names the key by its id. */
export class UndecodablePayloadError extends Error {
  override name = 'UndecodablePayloadError';
}

/**
 * Encrypts payloads with AES-256-GCM. A payload that is not encrypted is decoded as it is, so runs from before there was a
 * key continue.
 */
export class EncryptionCodec implements PayloadCodec {
  readonly #keys: PayloadKeys;

  constructor(keys: PayloadKeys) {
    this.#keys = keys;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const { current } = this.#keys;
    return current ? payloads.map((payload) => encrypt(payload, current)) : payloads;
  }

  /** @throws UndecodablePayloadError */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => this.decodeOne(payload));
  }

  /** @throws UndecodablePayloadError when its key is unknown, or its data was changed */
  decodeOne(payload: Payload): Payload {
    const id = keyIdOf(payload);
    if (id === undefined) return payload;
    const key = this.#keys.byId.get(id);
    if (!key) throw new UndecodablePayloadError(`A payload is encrypted with the key "${id}", which is not among PAYLOAD_KEYS.`);
    return decrypt(payload, id, key);
  }

  /** @returns whether it would be encoded with the same key today */
  isCurrent(payload: Payload): boolean {
    return keyIdOf(payload) === this.#keys.current?.id;
  }
}

/** @returns the id of the key that encrypts a payload; undefined when it is not encrypted */
function keyIdOf({ metadata }: Payload): string | undefined {
  const encoding = metadata?.['encoding'];
  return encoding && ENCODING.equals(encoding) ? Buffer.from(metadata?.[KEY_ID] ?? []).toString() : undefined;
}

function encrypt(payload: Payload, { id, key }: PayloadKey): Payload {
  const iv = takeRandom(IV);
  const cipher = createCipheriv(CIPHER, key, iv);
  const encrypted = cipher.update(PayloadMessage.encode(payload).finish());
  cipher.final();
  return {
    metadata: { encoding: ENCODING, [KEY_ID]: Buffer.from(id) },
    data: Buffer.concat([iv, encrypted, cipher.getAuthTag()]),
  };
}

function decrypt({ data }: Payload, id: string, key: KeyObject): Payload {
  const bytes = data ?? new Uint8Array();
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV), { authTagLength: TAG });
    decipher.setAuthTag(bytes.subarray(-TAG));
    const decrypted = decipher.update(bytes.subarray(IV, -TAG));
    // In this mode it adds nothing, and throws if the tag does not match.
    decipher.final();
    return PayloadMessage.decode(decrypted);
  } catch (error) {
    throw new UndecodablePayloadError(`A payload cannot be decrypted with the key "${id}": it was changed, or the key is another one.`, { cause: error });
  }
}
