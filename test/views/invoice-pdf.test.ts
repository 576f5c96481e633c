import { inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { renderInvoice } from '../../src/views/invoice-pdf.ts';

const invoiceOf = (customerName: string) => ({
  number: 42,
  issuedAt: new Date('2026-11-23T10:00:00Z'),
  order: {
    id: '0197d0a0-0000-7000-8000-000000000000',
    customerName,
    line1: 'St James Square 12',
    city: 'London',
    postalCode: 'SW1Y 4JH',
    country: 'GB',
    amount: 1780,
    currency: 'EUR',
  },
  items: [{ name: 'Earl Grey, 100 g', quantity: 2, unitAmount: 890 }],
});

/** The characters that the fonts of a PDF say their glyphs show. A character without a glyph is not among them. */
function charactersIn(pdf: Uint8Array): Set<string> {
  const text = Buffer.from(pdf).toString('latin1');
  const streams = Array.from(text.matchAll(/stream\n([^]*?)\nendstream/g), ([, data = '']) => inflateSync(Buffer.from(data, 'latin1')).toString());
  const maps = streams.filter((stream) => stream.includes('beginbfrange'));
  const codes = maps.flatMap((map) => Array.from(map.matchAll(/<([\da-f]{4}(?: [\da-f]{4})*)>/g), ([, hex = '']) => hex.split(' ')));
  return new Set(codes.flatMap((units) => Array.from(String.fromCharCode(...units.map((unit) => Number.parseInt(unit, 16))))));
}

it.each([
  ['Polish', 'Łukasz Żółć'],
  ['Vietnamese', 'Nguyễn Thị Ánh'],
  ['Greek', 'Άδα Λάβλεϊς'],
  ['Cyrillic', 'Ада Лавлейс'],
  ['Hebrew', 'עדה לאבלייס'],
  ['Armenian', 'Ադա Լավլեյս'],
  ['Japanese', '山田太郎 ヤマダ'],
  ['Chinese', '张伟 張偉'],
  ['Korean', '김민준'],
  ['several scripts', 'Ada 山田 Łukasz'],
  ['a variant of a character', '葛\u{e0100}城'],
])('an invoice shows a name in %s', async (_, name) => {
  const shown = charactersIn(await renderInvoice(invoiceOf(name)));
  const missing = Array.from(name).filter((character) => !shown.has(character) && !/\p{Default_Ignorable_Code_Point}/u.test(character));
  expect(missing).toEqual([]);
});

it('an invoice is rendered the same each time', async () => {
  const invoice = invoiceOf('Łukasz 山田');
  expect(await renderInvoice(invoice)).toEqual(await renderInvoice(invoice));
});
