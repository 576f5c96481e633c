import { assert, nat, property, stringMatching, uuid } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idCursor, numberCursor } from '../../src/views/page.ts';

describe('a cursor', () => {
  it('leads back to the id that it was made of', () => {
    assert(
      property(uuid(), (id) => {
        const cursor = idCursor.encode(id);
        expect(cursor).toMatch(idCursor.pattern);
        expect(idCursor.decode(cursor)).toBe(id.replaceAll('-', ''));
      }),
    );
  });

  it('leads back to the number that it was made of', () => {
    assert(
      property(nat({ max: 2 ** 48 - 1 }), (number) => {
        const cursor = numberCursor.encode(number);
        expect(cursor).toMatch(numberCursor.pattern);
        expect(numberCursor.decode(cursor)).toBe(number);
      }),
    );
  });

  it.each([
    ['an id', idCursor.pattern, (cursor: string) => idCursor.encode(idCursor.decode(cursor))],
    ['a number', numberCursor.pattern, (cursor: string) => numberCursor.encode(numberCursor.decode(cursor))],
  ])('of %s can be read if it matches the pattern, and is the only one for its position', (_, pattern, again) => {
    assert(
      property(stringMatching(pattern), (cursor) => {
        expect(again(cursor)).toBe(cursor);
      }),
    );
  });
});
