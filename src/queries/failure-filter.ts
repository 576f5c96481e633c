import { and, eq, gte, ilike, lt, or, sql, type SQL } from 'drizzle-orm';
import type { FailureFilter } from '../contracts/failure-filter.ts';
import { failures, orders } from '../db/schema.ts';

const isCustomer = (email: string | undefined): SQL | undefined =>
  email === undefined ? undefined : eq(sql`lower(${orders.customerEmail})`, email.toLowerCase());

/** @returns the condition on `failures`, joined with `orders`, for a filter */
export function failureCondition(filter: FailureFilter): SQL | undefined {
  const { text } = filter;
  const pattern = text ? `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%` : undefined;
  return and(
    filter.kind ? eq(failures.kind, filter.kind) : undefined,
    filter.step ? eq(failures.step, filter.step) : undefined,
    filter.errorType ? eq(failures.errorType, filter.errorType) : undefined,
    filter.status ? eq(failures.status, filter.status) : undefined,
    filter.orderId ? eq(failures.orderId, filter.orderId) : undefined,
    isCustomer(filter.customerEmail),
    filter.from ? gte(failures.firstSeenAt, new Date(filter.from)) : undefined,
    filter.to ? lt(failures.firstSeenAt, new Date(filter.to)) : undefined,
    pattern === undefined
      ? undefined
      : or(
          ilike(failures.errorMessage, pattern),
          ilike(failures.workflowId, pattern),
          ilike(failures.errorType, pattern),
        ),
  );
}

/** Orders that ended as failed have no `failures` row, so this filters `orders`. */
export function failedOrderCondition(filter: FailureFilter): SQL | undefined {
  return and(
    eq(orders.status, 'failed'),
    filter.errorType ? eq(orders.failureType, filter.errorType) : undefined,
    filter.orderId ? eq(orders.id, filter.orderId) : undefined,
    isCustomer(filter.customerEmail),
    filter.from ? gte(orders.createdAt, new Date(filter.from)) : undefined,
    filter.to ? lt(orders.createdAt, new Date(filter.to)) : undefined,
  );
}

