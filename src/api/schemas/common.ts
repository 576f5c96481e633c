import { z } from '@hono/zod-openapi';

/** ISO 8601, UTC. */
export const time = z.iso.datetime();

export const money = z
  .strictObject({
    amount: z.int().openapi({ description: 'In minor units', example: 1250 }),
    currency: z.string().openapi({ description: 'ISO 4217', example: 'EUR' }),
  })
  .openapi('Money');

const ONE_LINE = /^[^\p{Cc}\p{Cs}]*$/u;

/** One line of text for people. Control characters and halves of surrogate pairs are refused: Postgres and email headers cannot hold them. */
export const line = (longest: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .regex(ONE_LINE, 'must be one line of text')
    // Without the flag, which the generator would print as part of the pattern.
    .openapi({ pattern: ONE_LINE.source });

export const email = z.email().max(254);

/** Why someone decides something. */
export const reasonBody = z.strictObject({ reason: line(500) }).openapi('Reason');

export const idParams = z.object({ id: z.uuid().openapi({ param: { name: 'id', in: 'path' } }) });

/** @returns the `content` of a JSON body or answer. */
export const json = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } });

/** @returns the `request.body` of an operation that needs one. */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({ required: true, content: json(schema) });

/** @returns what an answer's header is, for the OpenAPI document. */
export const header = (description: string) => ({ description, schema: { type: 'string' as const } });
