import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from './environment.ts';

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Makes `c.req.json` strict, see {@link parseJson}. Its errors are answered like those of any body that is not JSON. */
export const strictJson: MiddlewareHandler<ApiEnv> = (c, next) => {
  Object.assign(c.req, { json: async () => parseJson(await c.req.text()) });
  return next();
};

/**
 * Parses JSON in which no object names a field twice. Readers disagree about which of the two counts (RFC 8259, section 4), so
 * what a proxy or a log has seen would not be what we act on.
 * @throws SyntaxError
 */
export function parseJson(json: string): unknown {
  const value: unknown = JSON.parse(json);
  // Cheaper than to remember the names of each object: of two fields with one name, the parser keeps one.
  if (countNames(json) !== countFields(value)) throw new SyntaxError('A field is named twice.');
  return value;
}

/** @param json is valid. @returns how many fields it names: its colons outside of texts */
function countNames(json: string): number {
  let count = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === COLON) count += 1;
    else if (code === QUOTE) at = endOfText(json, at);
  }
  return count;
}

function endOfText(json: string, start: number): number {
  let at = start + 1;
  for (let code = json.charCodeAt(at); code !== QUOTE; code = json.charCodeAt(at)) at += code === BACKSLASH ? 2 : 1;
  return at;
}

function countFields(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const parts: unknown[] = Object.values(value);
  return parts.reduce((sum: number, part) => sum + countFields(part), Array.isArray(value) ? 0 : parts.length);
}
