import { loadPayloadKeys } from '../../src/config.ts';
import { EncryptionCodec } from '../../src/temporal/payloads/codec.ts';
import { createDataConverter } from '../../src/temporal/payloads/data-converter.ts';

/** Tests encrypt what they send to Temporal, as production does. */
export const PAYLOAD_KEYS = `test:${Buffer.alloc(32, 'only for tests').toString('base64')}`;

export const payloadKeys = loadPayloadKeys({ PAYLOAD_KEYS });
export const codec = new EncryptionCodec(payloadKeys);
export const dataConverter = createDataConverter(payloadKeys);
