import { createSecretKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { Logger } from '../../log.ts';

/** A key of AES-256. Its id is stored with each payload that it encrypts. */
export interface PayloadKey {
  id: string;
  key: KeyObject;
}

/** The keys of the payloads between this process and Temporal. */
export interface PayloadKeys {
  /** Encrypts what is sent. undefined: it is sent in clear text. */
  current: PayloadKey | undefined;
  /** Those that decrypt, the current one included, by id. */
  byId: ReadonlyMap<string, KeyObject>;
}

/** In the place of the first key: nothing is encrypted. */
const NONE = 'none';
/** 32 bytes are 44 characters. */
const ENTRY = /^(?<id>[\w.-]{1,64}):(?<base64>[A-Za-z0-9+/]{43}=)$/;

const MAKE_ONE = 'Make one: echo "key-1:$(openssl rand -base64 32)"';

/**
 * `<id>:<base64 of 32 bytes>`, separated by commas. The first encrypts, all decrypt. `none` in the first place encrypts nothing.
 * No message repeats what was given: it may be a key.
 */
export const payloadKeysSchema = z
  .string({ error: `is missing: the key that encrypts what is sent to Temporal. ${MAKE_ONE}` })
  .transform((text, context): PayloadKeys => {
    const keys: PayloadKey[] = [];
    const entries = text.split(',').map((entry) => entry.trim());
    for (const [index, entry] of entries.entries()) {
      if (index === 0 && entry === NONE) continue;
      const { id, base64 } = ENTRY.exec(entry)?.groups ?? {};
      if (id === undefined || base64 === undefined) {
        context.addIssue(`has no <id>:<base64 of 32 bytes> in place ${index + 1}. ${MAKE_ONE}`);
        return z.NEVER;
      }
      if (keys.some((known) => known.id === id)) {
        context.addIssue(`has two keys with the id ${id}`);
        return z.NEVER;
      }
      keys.push({ id, key: createSecretKey(base64, 'base64') });
    }
    return {
      current: entries[0] === NONE ? undefined : keys[0],
      byId: new Map(keys.map(({ id, key }) => [id, key])),
    };
  });

/** Says in the log of a starting process that what it sends to Temporal is not encrypted. */
export function warnOfClearText({ current }: PayloadKeys, log: Pick<Logger, 'warn'>): void {
  if (!current) log.warn('payloads are sent to Temporal in clear text: PAYLOAD_KEYS has no key that encrypts');
}
