import { historyFromJSON, historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { z } from 'zod';
import type { EncryptionCodec } from '../payloads/codec.ts';
import { jsonOf, jsonPayloadSchema, payloadOf } from '../payloads/json.ts';

const payloadSchema = jsonPayloadSchema.extend({ metadata: z.object({ encoding: z.string() }).catchall(z.string()) });
const failureSchema = z.looseObject({ encodedAttributes: payloadSchema });
/** What the SDK's failure converter puts into a payload. */
const attributesSchema = z.object({ message: z.string(), stack_trace: z.string().default('') });

/**
 * @returns the history with its payloads decrypted, and each failure's message and stack trace in their places
 * @throws UndecodablePayloadError
 */
export function decryptHistory(history: History, codec: EncryptionCodec): History {
  const decrypted: unknown = JSON.parse(historyToJSON(history), (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    // What is within it was visited before.
    if ('encodedAttributes' in value) return withAttributes(failureSchema.parse(value));
    const payload = 'metadata' in value ? payloadSchema.safeParse(value).data : undefined;
    return payload ? jsonOf(codec.decodeOne(payloadOf(payload))) : value;
  });
  return historyFromJSON(decrypted);
}

function withAttributes({ encodedAttributes, ...failure }: z.infer<typeof failureSchema>) {
  const { message, stack_trace } = attributesSchema.parse(JSON.parse(Buffer.from(encodedAttributes.data, 'base64').toString()));
  return { ...failure, message, stackTrace: stack_trace };
}
