import { z } from '@hono/zod-openapi';
import { id } from '../../contracts/fields.ts';
import { ORDER_ID } from '../examples/ids.ts';

export const idParams = z.object({ id: id.clone().openapi({ param: { name: 'id', in: 'path' }, example: ORDER_ID }) });

/** @returns a schema of `contracts` under a name in the OpenAPI document. Cloned: one made before the library loaded lacks `openapi` */
export const named = <Schema extends z.ZodType>(name: string, schema: Schema): Schema => schema.clone().openapi(name);

/** Examples for the OpenAPI document, by name. */
export type Examples<Schema extends z.ZodType> = Record<string, z.input<Schema>>;

/** @returns the examples as the document holds them */
export const examplesOf = <Value>(examples: Record<string, Value>): Record<string, { value: Value }> =>
  Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));

/** @returns the `content` of a JSON body or answer */
export const json = <Schema extends z.ZodType>(schema: Schema, examples: Examples<Schema>) => ({
  'application/json': { schema, examples: examplesOf(examples) },
});

/** @returns the `request.body` of an operation that needs one */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema, examples: Examples<Schema>) => ({
  required: true,
  content: json(schema, examples),
});

/** @returns the `content` of a stream of server-sent events. @param example what may be sent */
export const eventStream = (example: string) => ({
  'text/event-stream': { schema: z.string().openapi({ description: 'Server-sent events' }), examples: examplesOf({ stream: example }) },
});
