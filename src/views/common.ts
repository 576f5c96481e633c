import { z } from '@hono/zod-openapi';
import type { Caller } from '../contracts/caller.ts';
import { customerText } from '../contracts/customer-texts.ts';

/** ISO 8601, UTC. */
export const time = z.iso.datetime();

export const money = z
  .strictObject({
    amount: z.int().openapi({ description: 'In minor units', example: 1250 }),
    currency: z.string().openapi({ description: 'ISO 4217', example: 'EUR' }),
  })
  .openapi('Money');

/**
 * @returns a schema for what may be missing. Not `nullable()`: of a named schema, the OpenAPI document would then say that it is
 * both an object and null
 */
export const orNull = <Schema extends z.ZodType>(schema: Schema) => z.union([schema, z.null()]);

/** What went wrong: a stable type, and a message for people. */
export const errorSchema = z.strictObject({ type: z.string(), message: z.string() });

/** @returns an error as it is shown, or null without one */
export const errorView = (type: string | null, message: string | null): z.infer<typeof errorSchema> | null =>
  type === null ? null : { type, message: message ?? '' };

/** @returns an error as a caller may read it, or null without one. Its details are for staff. */
export const errorViewFor = ({ role }: Caller, type: string | null, message: string | null): z.infer<typeof errorSchema> | null =>
  errorView(type, type !== null && role === 'customer' ? customerText(type) : message);

/** @returns a time as it is shown, or null without one */
export const iso = (date: Date | null | undefined): string | null => date?.toISOString() ?? null;
