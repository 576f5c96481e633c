import { describe, expect, it } from 'vitest';
import { email, instant, line, personName, wholeNumber } from '../../src/contracts/fields.ts';

describe('a line of text', () => {
  it.each(['Ada Lovelace', '山田太郎', 'עדה', 'علی‌رضا', '👩‍👩‍👧', '⠁', '-'])('is taken: %s', (text) => {
    expect(line(200).parse(text)).toBe(text);
  });

  it.each([
    ['is empty', ''],
    ['is blank', ' \u00a0\u3000'],
    ['is of zero width', '\u200b\u200d\ufeff'],
    ['is a mark of direction', '\u200f'],
    ['is a filler', '\u3164\u2800'],
    ['has a line separator', 'Ada\u2028Lovelace'],
    ['has a paragraph separator', 'Ada\u2029Lovelace'],
    ['has a line break', 'Ada\nLovelace'],
    ['begins with a tab', '\tAda'],
    ['ends with a line break', 'Ada\n'],
    ['overrides the direction of writing', 'Ada \u202eecalevoL'],
    ['isolates a direction of writing', '\u2067Ada'],
  ])('is refused if it %s', (_, text) => {
    expect(line(200).safeParse(text).success).toBe(false);
  });
});

it('a line of text is counted in characters, with the spaces around it, as the OpenAPI document says', () => {
  expect(line(3).safeParse('👩👩👩').success).toBe(true);
  expect(line(3).safeParse(' Ad').success).toBe(true);
  expect(line(3).safeParse(' Ada').success).toBe(false);
});

describe('an email address', () => {
  const label = 'x'.repeat(63);

  it.each(['ada@example.com', "o'hara+tea@a.b-c.example", `${'a'.repeat(64)}@${label}.de`, 'ada@xn--bcher-kva.example'])('is taken: %s', (text) => {
    expect(email.parse(text)).toBe(text);
  });

  it.each(['ada', 'ada@example', '.ada@example.com', 'ada.@example.com', 'a..b@example.com', 'ada@-example.com', 'ada@example-.com', `ada@x${label}.com`, `${'a'.repeat(65)}@example.com`])(
    'is refused: %s',
    (text) => {
      expect(email.safeParse(text).success).toBe(false);
    },
  );
});

describe('the name of a person', () => {
  it.each([
    'J.R. Smith',
    'Dr.Smith',
    'St.John-Stevas',
    'Dr.Smith/Dr.Jones',
    'A. Smith c/o B.Jones',
    'Société S.A.',
    'Müller GmbH & Co.KG',
    'J.P.Morgan',
    'Anna Net',
    'J.de Vries',
    'Shop@Home GmbH',
    'Ada @ Tea Ltd.',
    'Station 1.2.3',
    'P.Io',
  ])('is taken: %s', (name) => {
    expect(personName.parse(name)).toBe(name);
  });

  it.each([
    'Click https://evil.example now',
    'HTTP://EVIL',
    'see www.evil.example',
    'you won, visit evil.com',
    'Evil.COM: a prize',
    'evil.de/prize',
    't.me/x',
    'пример.рф/x',
    'write to prizes@evil.de',
    'evil.xyz',
    'your parcel: EVIL.SHOP.',
    'evil.io now',
    'go to 192.0.2.7',
  ])('is refused if it is a link: %s', (name) => {
    expect(personName.safeParse(name).error?.issues).toMatchObject([{ message: 'must not contain a link' }]);
  });
});

describe('a number that comes as text', () => {
  const limit = wholeNumber(1, 100);

  it('is of digits', () => {
    expect(limit.parse('100')).toBe(100);
    expect(limit.parse('007')).toBe(7);
  });

  it.each(['', ' 5', '0', '101', '-1', '+5', '5.0', '1e1', '0x10', '0b1', '٥', 'Infinity', '99999999999999999999'])('is not "%s"', (text) => {
    expect(limit.safeParse(text).success).toBe(false);
  });
});

it('a moment is in a year that Postgres has', () => {
  expect(instant.safeParse('0001-01-01T00:00:00Z').success).toBe(true);
  expect(instant.safeParse('9999-12-31T23:59:59.999Z').success).toBe(true);
  for (const text of ['0000-01-01T00:00:00Z', '0000-12-31T23:59Z', '10000-01-01T00:00:00Z', '-0001-01-01T00:00:00Z', '2026-02-30T00:00:00Z']) {
    expect(instant.safeParse(text).success).toBe(false);
  }
});
