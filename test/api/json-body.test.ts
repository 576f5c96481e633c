import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/api/json-body.ts';

describe('the body of a request', () => {
  it('is read as any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        expect(parseJson(json)).toEqual(JSON.parse(json));
      }),
    );
  });

  it.each([
    '{"a":1,"a":1}',
    '{"a":{"b":1,"b":2}}',
    '[{"c":1},{"a":[{"b":":","b":"\\":"}]}]',
    '{"a":1,"\\u0061":2}',
    '{"__proto__":1,"__proto__":2}',
  ])('is refused if an object in it names a field twice: %s', (json) => {
    expect(() => parseJson(json)).toThrow(SyntaxError);
  });

  it.each(['', '{', '{"a"', '"a', '{"a":1}}', 'undefined'])('is refused if it is no JSON: %s', (json) => {
    expect(() => parseJson(json)).toThrow(SyntaxError);
  });
});
