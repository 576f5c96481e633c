import { readFileSync } from 'node:fs';
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';

/** The checked-in OpenAPI document, and what its schemas say about values. */

export const DOCUMENT_FILE = new URL('../../../docs/openapi.json', import.meta.url);

const schema = z.record(z.string(), z.unknown());
const example = z.union([z.strictObject({ value: z.unknown() }), z.strictObject({ $ref: z.string() })]);
const header = z.union([z.strictObject({ $ref: z.string() }), z.object({ $ref: z.undefined().optional(), required: z.boolean() })]);
const content = z.record(z.string(), z.object({ schema, examples: z.record(z.string(), example).default({}) }));
const operation = z.object({
  operationId: z.string(),
  description: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z
    .array(z.object({ name: z.string(), in: z.enum(['path', 'query', 'header']), required: z.boolean(), schema }))
    .default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(
    z.string(),
    z.object({
      headers: z.record(z.string(), header),
      content: content.default({}),
    }),
  ),
});
const documentSchema = z.object({
  paths: z.record(z.string(), z.object({ get: operation, post: operation }).partial()),
  components: z.object({
    schemas: z.record(z.string(), schema),
    examples: z.record(z.string(), z.object({ value: z.unknown() })),
    headers: z.record(z.string(), z.looseObject({ required: z.boolean() })),
  }),
});

export type Content = z.infer<typeof content>;

/** @returns what an example shows */
export const valueOf = (given: z.infer<typeof example>): unknown =>
  '$ref' in given ? document.components.examples[given.$ref.replace('#/components/examples/', '')]?.value : given.value;

/** @returns whether every answer has a header */
export const isRequired = (given: z.infer<typeof header>): boolean =>
  typeof given.$ref === 'string' ? document.components.headers[given.$ref.replace('#/components/headers/', '')]?.required === true : given.required;

export const document = documentSchema.parse(JSON.parse(readFileSync(DOCUMENT_FILE, 'utf8')));

/** Every operation, with its method and path. */
export const OPERATIONS = Object.entries(document.paths).flatMap(([path, methods]) =>
  (['get', 'post'] as const).flatMap((method) => {
    const found = methods[method];
    return found ? [{ path, method, ...found }] : [];
  }),
);

export type Operation = (typeof OPERATIONS)[number];

const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
ajv.addFormat('binary', true);

const validators = new Map<AnySchemaObject, ValidateFunction>();

/** @returns what is wrong with a value by a schema of the document; empty when nothing is */
export function faultsOf(given: AnySchemaObject, value: unknown): string[] {
  let validate = validators.get(given);
  if (!validate) {
    validate = ajv.compile({ ...given, components: document.components });
    validators.set(given, validate);
  }
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message = 'is wrong' }) => `${instancePath || '/'} ${message}`);
}
