import type { Payload } from '@temporalio/common';
import { z } from 'zod';

/** A payload in protobuf's JSON: all bytes are in Base64. */
export const jsonPayloadSchema = z.object({ metadata: z.record(z.string(), z.string()).default({}), data: z.string().default('') });

export type JsonPayload = z.infer<typeof jsonPayloadSchema>;

/** @returns the payload that the JSON describes */
export const payloadOf = ({ metadata, data }: JsonPayload): Payload => ({
  metadata: mapValues(metadata, (value) => Buffer.from(value, 'base64')),
  data: Buffer.from(data, 'base64'),
});

/** @returns the JSON of a payload */
export const jsonOf = ({ metadata, data }: Payload): JsonPayload => ({
  metadata: mapValues(metadata ?? {}, base64),
  data: base64(data ?? new Uint8Array()),
});

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const mapValues = <From, To>(values: Record<string, From>, map: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
