import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { address, email, id, instant, line } from '../../src/contracts/fields.ts';

const saidAbout = (schema: z.ZodType, value: unknown) => schema.safeParse(value).error?.issues.map(({ message }) => message);

describe('a wrong value', () => {
  it.each<[string, z.ZodType, unknown]>([
    ['is required', line(200), undefined],
    ['is required', z.enum(['approve', 'reject']), undefined],
    ['is required', address.shape.country, undefined],
    ['must not be empty', line(200), ' '],
    ['must not be empty', z.array(line(1)).min(1), []],
    ['must be at most 200 characters', line(200), 'x'.repeat(201)],
    ['must have at most 2 items', z.array(z.int()).max(2), [1, 2, 3]],
    ['must be one line of text', line(200), 'a\nb'],
    ['must be text', line(200), 7],
    ['must be an object', z.strictObject({}), []],
    ['must be a list', z.array(z.int()), {}],
    ['must be a number', z.coerce.number(), 'x'],
    ['must be a whole number', z.int(), 1.5],
    ['must be true or false', z.boolean(), 'yes'],
    ['must be at least 1', z.int().min(1), 0],
    ['must be at most 1000', z.int().max(1000), 1001],
    ['must be more than 0', z.int().positive(), 0],
    ['must be one of approve, reject', z.enum(['approve', 'reject']), 'maybe'],
    ['must be an ISO 3166-1 alpha-2 code in capitals', address.shape.country, 'Germany'],
    ['must be an email address', email, 'ada'],
    ['must be a UUID', id, '42'],
    ['must be a time in UTC such as 2026-11-24T08:00:00Z', instant, 'yesterday'],
    ['must not be in the year 0', instant, '0000-01-01T00:00:00Z'],
    ['must start with whsec_', z.string().startsWith('whsec_'), 'secret'],
    ['has unknown fields: a, b', z.strictObject({}), { a: 1, b: 2 }],
  ])('%s', (message, schema, value) => {
    expect(saidAbout(schema, value)).toEqual([message]);
  });
});
