import { z } from '@hono/zod-openapi';
import { id } from '../../contracts/fields.ts';

export const email = z.email().max(254);

export const idParams = z.object({ id: id.clone().openapi({ param: { name: 'id', in: 'path' } }) });

/** @returns a schema of `contracts` under a name in the OpenAPI document. Cloned: one made before the library loaded lacks `openapi` */
export const named = <Schema extends z.ZodType>(name: string, schema: Schema): Schema => schema.clone().openapi(name);

/** @returns the `content` of a JSON body or answer */
export const json = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } });

/** @returns the `request.body` of an operation that needs one */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({ required: true, content: json(schema) });

/** @returns the description of an answer's header, for the OpenAPI document */
export const header = (description: string) => ({ description, schema: { type: 'string' as const } });
