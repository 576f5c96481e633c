import { expect } from 'vitest';
import { z } from 'zod';
import { document, faultsOf, isRequired, OPERATIONS, type Content, type Operation } from './document.ts';
import type { ServerSentEvent } from './events.ts';

/** Headers that say something about this one answer. The document must declare them where they are sent. */
const MEANINGFUL = ['Location', 'Retry-After', 'Idempotency-Replayed', 'Preference-Applied', 'WWW-Authenticate', 'Content-Disposition', 'Vary'];

interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/**
 * Fails when an answer is not as the OpenAPI document says, or when the API accepted a body that the document refuses, or refused
 * one that the document accepts.
 */
export function expectAsDocumented(method: string, address: string, sent: string | undefined, answer: Answer): void {
  const operation = findOperation(method, address);
  if (!operation) return;
  expect(faultsOfAnswer(operation, method, sent, answer), `${method} ${address} answered ${answer.status}`).toEqual([]);
}

const EVENT_SCHEMAS: Record<string, string> = { status: 'OrderEvent', cancellation: 'CancellationEvent' };

/** Fails when an event of a stream is not as the OpenAPI document says. */
export function expectEventAsDocumented({ event, data = '' }: ServerSentEvent): void {
  const schema = document.components.schemas[EVENT_SCHEMAS[event ?? ''] ?? 'BulkActionEvent'];
  // A heartbeat has no event.
  if (event === undefined || !schema) return;
  expect(faultsOf(schema, JSON.parse(data)), `event ${event}`).toEqual([]);
}

function findOperation(method: string, address: string): Operation | undefined {
  const [path = ''] = address.split('?');
  const wanted = method === 'HEAD' ? 'get' : method.toLowerCase();
  const matching = OPERATIONS.filter((operation) => operation.method === wanted && patternOf(operation.path).test(path));
  // A fixed path comes before one with an id.
  return matching.find((operation) => operation.path === path) ?? matching[0];
}

const patternOf = (path: string): RegExp => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);

function faultsOfAnswer(operation: Operation, method: string, sent: string | undefined, { status, headers, body }: Answer): string[] {
  const response = operation.responses[String(status)];
  if (!response) return ['the status is not documented'];
  const faults: string[] = [];
  for (const [name, header] of Object.entries(response.headers)) {
    if (isRequired(header) && !headers.has(name)) faults.push(`the header ${name} is missing`);
  }
  for (const name of MEANINGFUL) {
    if (headers.has(name) && !(name in response.headers)) faults.push(`the header ${name} is not documented`);
  }
  if (method !== 'HEAD') faults.push(...faultsOfContent(response.content, headers.get('Content-Type'), body));
  const accepts = operation.requestBody?.content['application/json'];
  if (accepts && sent !== undefined) faults.push(...faultsOfBody(accepts.schema, sent, status, body));
  return faults;
}

/** @returns how the API and the document differ about a body */
function faultsOfBody(schema: object, sent: string, status: number, answer: unknown): string[] {
  const [isAccepted, isRefused] = [status < 300, refusal.safeParse(answer).success];
  if (!isAccepted && !isRefused) return [];
  const faults = faultsOf(schema, JSON.parse(sent));
  if (isAccepted) return faults.map((fault) => `the body was accepted, but: ${fault}`);
  return faults.length === 0 && isText(sent) ? ['the body was refused, but the document accepts it'] : [];
}

/** Rules between fields, and about what a text shows. The document has them in words. */
const IN_WORDS = [
  /^must be after from$/,
  /^must be within a year of from$/,
  /^must not be in the future$/,
  /^a restart acts on orders/,
  /^must not contain a link$/,
  /^must be visible$/,
];

/** The answer to a body that was refused for what its fields are, not for how they go together. */
const refusal = z.object({
  type: z.literal('urn:holdfast:problem:invalid-fields'),
  errors: z.array(z.object({ in: z.literal('body'), detail: z.string().refine((detail) => !IN_WORDS.some((rule) => rule.test(detail))) })),
});

/** Half a character is refused. No pattern can say so in every language. */
const isText = (json: string): boolean => !/\\ud[89a-f]/i.test(json);

function faultsOfContent(content: Content, contentType: string | null, body: unknown): string[] {
  const type = contentType?.split(';')[0] ?? '';
  const declared = content[type];
  if (declared) return faultsOf(declared.schema, body);
  return Object.keys(content).length === 0 && body === '' ? [] : [`the content type "${type}" is not documented`];
}
