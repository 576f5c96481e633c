import { z } from 'zod';
import type { EncryptionCodec } from '../payloads/codec.ts';
import { jsonOf, jsonPayloadSchema, payloadOf } from '../payloads/json.ts';

const payloadSchema = jsonPayloadSchema.extend({ metadata: z.object({ encoding: z.string() }).catchall(z.string()) });
const failureSchema = z.looseObject({ encodedAttributes: payloadSchema });
/** What the SDK's failure converter puts into a payload. */
const attributesSchema = z.object({ message: z.string(), stack_trace: z.string().default('') });

/**
 * @param history in the JSON of Temporal's own tools
 * @returns the same with its payloads decrypted, and each failure's message and stack trace in their places
 * @throws UndecodablePayloadError
 */
export const inClearText = (history: string, codec: EncryptionCodec): string =>
  JSON.stringify(
    JSON.parse(history, (_key, value: unknown) => {
      // What is within it was visited before.
      const failure = failureSchema.safeParse(value).data;
      if (failure) return withAttributes(failure);
      const payload = payloadSchema.safeParse(value).data;
      return payload ? jsonOf(codec.decodeOne(payloadOf(payload))) : value;
    }),
  );

function withAttributes({ encodedAttributes, ...failure }: z.infer<typeof failureSchema>) {
  const { message, stack_trace } = attributesSchema.parse(JSON.parse(Buffer.from(encodedAttributes.data, 'base64').toString()));
  return { ...failure, message, stackTrace: stack_trace };
}
