import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { loadPayloadKeys } from '../src/config.ts';
import { OrderLinks } from '../src/customer-links.ts';

const ORDER = '0197d0a0-0000-7000-8000-000000000001';
const OTHER = '0197d0a0-0000-7000-8000-000000000002';
const [OLD, NEW] = ['old', 'new'].map((id) => `${id}:${randomBytes(32).toString('base64')}`);

const linksWith = (PAYLOAD_KEYS: string) => new OrderLinks('http://shop.test', loadPayloadKeys({ PAYLOAD_KEYS }));
const signatureOf = (links: OrderLinks, id = ORDER) => links.to(id)?.split('/').at(-1) ?? '';

it('signs a link for one order only', () => {
  const links = linksWith(`${OLD}`);
  const signature = signatureOf(links);
  expect(links.to(ORDER)).toBe(`http://shop.test/my/orders/${ORDER}/${signature}`);
  expect(links.isSigned(ORDER, signature)).toBe(true);
  expect(links.isSigned(OTHER, signature)).toBe(false);
});

it('refuses a signature that was altered, cut, extended or made with another key', () => {
  const links = linksWith(`${OLD}`);
  const signature = signatureOf(links);
  const altered = [...Array(signature.length).keys()].map((index) => {
    const other = signature[index] === 'A' ? 'B' : 'A';
    return `${signature.slice(0, index)}${other}${signature.slice(index + 1)}`;
  });
  const wrong = [...altered, '', signature.slice(0, -1), `${signature}A`, `${signature}=`, signature.toLowerCase(), signatureOf(linksWith(`${NEW}`))];
  expect(wrong.filter((given) => links.isSigned(ORDER, given))).toEqual([]);
});

it('accepts links signed by an earlier key while it is listed, and signs with the current one', () => {
  const signature = signatureOf(linksWith(`${OLD}`));
  const rotating = linksWith(`${NEW},${OLD}`);
  expect(rotating.isSigned(ORDER, signature)).toBe(true);
  expect(signatureOf(rotating)).toBe(signatureOf(linksWith(`${NEW}`)));
  expect(linksWith(`${NEW}`).isSigned(ORDER, signature)).toBe(false);
});

it('makes no link without a key, and accepts none', () => {
  const links = linksWith('none');
  expect(links.to(ORDER)).toBeUndefined();
  expect(links.isSigned(ORDER, signatureOf(linksWith(`${OLD}`)))).toBe(false);
});
