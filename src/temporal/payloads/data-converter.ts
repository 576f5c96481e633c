import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { EncryptionCodec } from './codec.ts';
import type { PayloadKeys } from './keys.ts';

/** A module for clients, workers and the workflow bundle. The same with and without keys, so that a bundle fits both. */
export const failureConverterPath = fileURLToPath(new URL('failure-converter.cjs', import.meta.url));

/** @returns how clients and workers convert what they exchange with Temporal */
export const createDataConverter = (keys: PayloadKeys): DataConverter => ({
  failureConverterPath,
  payloadCodecs: [new EncryptionCodec(keys)],
});
