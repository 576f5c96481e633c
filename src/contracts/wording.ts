import type { z } from 'zod';

const TYPES: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  date: 'a date',
};

const FORMATS: Record<string, string> = {
  email: 'must be an email address',
  url: 'must be a URL',
  uuid: 'must be a UUID',
  datetime: 'must be a time in UTC such as 2026-11-24T08:00:00Z',
  date: 'must be a date such as 2026-11-24',
};

const UNITS: Record<string, string> = { string: 'characters', array: 'items' };

/**
 * What is wrong with a value, to be read after the name of its field: `must not be empty`. API, page and command line all
 * say it like this. A schema may say it better.
 */
export const describeIssue: z.core.$ZodErrorMap = (issue) => {
  if (issue.code !== 'custom' && issue.input === undefined) return 'is required';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      if (UNITS[issue.origin] && Number(issue.minimum) === 1) return 'must not be empty';
      return `must ${sizeOf(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least')}`;
    case 'too_big':
      return `must ${sizeOf(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most')}`;
    case 'invalid_format':
      if (issue.format === 'starts_with') return `must start with ${String(issue['prefix'])}`;
      return FORMATS[issue.format] ?? 'has the wrong format';
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `has unknown fields: ${issue.keys.join(', ')}`;
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return 'is not valid';
  }
};

/** @returns e.g. `be at most 200 characters`, `have at most 50 items`, `be at most 1000` */
function sizeOf(origin: string, limit: number | bigint, comparison: string): string {
  const unit = UNITS[origin];
  return `${origin === 'array' ? 'have' : 'be'} ${comparison} ${limit}${unit ? ` ${unit}` : ''}`;
}
