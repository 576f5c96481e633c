import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playEveryEnd, SHORT_WAITS, type Words } from './support/every-end.ts';
import { findWord, newWord, type Places } from './support/marks.ts';
import { startWatchedShop, type WatchedShop } from './support/watched-shop.ts';

const shops: WatchedShop[] = [];

/** Leads orders and signups to every end, and collects everything that was written or said meanwhile, by where. */
async function play(environment: Record<string, string>) {
  const words: Words = { personal: newWord(), facts: newWord() };
  const watched = await startWatchedShop({ ...SHORT_WAITS, ...environment });
  shops.push(watched);
  const answers = await playEveryEnd(watched, words);
  const { commands, rest } = await watched.postgres();
  return {
    words,
    temporal: await watched.temporal(),
    others: {
      ...(await watched.operations()),
      'the commands': commands,
      'problems': answers.problems,
      'the answers to another customer': answers.stranger,
    },
    rightful: {
      'Postgres': rest,
      'the inbox': JSON.stringify(watched.shop.inbox.messages()),
      'the answers to the customer': answers.customer,
      'the answers to an operator': answers.operator,
    },
  };
}

let encrypted: Awaited<ReturnType<typeof play>>;
let clear: Awaited<ReturnType<typeof play>>;
beforeAll(async () => {
  [encrypted, clear] = await Promise.all([play({}), play({ PAYLOAD_KEYS: 'none' })]);
}, 400_000);
afterAll(async () => {
  for (const shop of shops) await shop.close();
}, 120_000);

const placesOf = (word: string, places: Places) => Object.keys(findWord(word, places));

describe('what a person writes', () => {
  it('is only where it belongs, whatever becomes of an order or a signup', () => {
    const { words, temporal, others } = encrypted;
    expect(findWord(words.personal, { ...temporal, ...others })).toEqual({});
  });

  it('is not sent to Temporal at all, so that a lost key does not give it away', () => {
    const { words, temporal, others } = clear;
    expect(findWord(words.personal, { ...temporal, ...others })).toEqual({});
  });

  const forOperators = ['Postgres', 'the answers to an operator'];
  const forBoth = ['Postgres', 'the answers to the customer', 'the answers to an operator'];
  it.each([
    ['name', ['Postgres', 'the inbox', 'the answers to the customer', 'the answers to an operator']],
    ['email', ['Postgres', 'the inbox', 'the answers to the customer', 'the answers to an operator']],
    ['line', forBoth],
    ['city', forBoth],
    // Why customers cancel is theirs to read; why staff do is not.
    ['wish', forBoth],
    ['reason', forOperators],
    ['reasonwarehouse', forOperators],
    ['card', ['Postgres']],
    ['idempotency', ['Postgres']],
  ])('is found where it belongs: %s', (field, places) => {
    expect(placesOf(`${encrypted.words.personal}${field}`, encrypted.rightful)).toEqual(places);
  });
});

describe('what Temporal has to know', () => {
  it.each([
    ['the name of a carrier', 'carrier'],
    ['the number of a parcel', 'tracking'],
  ])('is hidden by the codec: %s', (_, field) => {
    expect(placesOf(`${encrypted.words.facts}${field}`, encrypted.temporal)).toEqual([]);
    expect(placesOf(`${clear.words.facts}${field}`, clear.temporal)).toEqual([
      'histories, as binary',
      'histories, as JSON',
      'the database of Temporal',
    ]);
  });

  it.each([
    ['the summaries of a run and of its charge', '8.90"'],
    ['the summary of an activity', 'reserve the stock'],
    ['the message of a failed attempt', 'No answer from the warehouse'],
    ['the message of a refusal', 'The warehouse cannot deliver to this address.'],
    ['why an order ended', 'Unknown payment method.'],
  ])('is hidden by the codec: %s', (_, text) => {
    expect(placesOf(text, encrypted.temporal)).toEqual([]);
    expect(placesOf(text, clear.temporal)).toEqual(expect.arrayContaining(['histories, as binary', 'the database of Temporal']));
  });
});

describe('the search', () => {
  it.each(['', '.', '..'])('finds a word in Base64, after "%s"', (before) => {
    const word = newWord();
    const text = JSON.stringify({ name: `${before}${word}e` });
    expect(placesOf(word, { here: Buffer.from(text).toString('base64'), there: 'nothing' })).toEqual(['here']);
  });

  it('had something to search everywhere', () => {
    // Temporal writes only errors to its log, and on a quiet machine it has none.
    const { 'the log of Temporal': _log, ...temporal } = encrypted.temporal;
    const places = { ...temporal, ...encrypted.others, ...encrypted.rightful };
    expect(Object.entries(places).flatMap(([place, text]) => (text.length < 500 ? [place] : []))).toEqual([]);
  });
});
