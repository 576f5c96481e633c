import { randomBytes } from 'node:crypto';

/**
 * A word that occurs nowhere by chance. Lower-case letters are the same in JSON, in a URL, in HTML and in an email address, and
 * their Base64 has neither `+` nor `/`.
 */
export const newWord = (): string => `canary${Array.from(randomBytes(12), (byte) => String.fromCodePoint(97 + (byte % 26))).join('')}`;

/** How a word looks in Base64: differently for each of the three places where it may begin. Its first and last characters depend on its neighbours. */
const base64Forms = (word: string): string[] =>
  [0, 1, 2].map((shift) => {
    const text = Buffer.from(`${'\0'.repeat(shift)}${word}`).toString('base64').replace(/=+$/, '');
    return text.slice(shift === 0 ? 0 : shift + 1, -2);
  });

/** @returns what to search for to find a word, however it is written */
export const formsOf = (word: string): string[] => [
  word,
  word.toUpperCase(),
  ...base64Forms(word),
  Buffer.from(word).toString('hex'),
  Buffer.from(word, 'utf16le').toString('latin1'),
];

/** Where to search: the name of each place, and everything that it holds. */
export type Places = Record<string, string>;

/** @returns the places in which a word occurs in any form, each with what surrounds it first */
export function findWord(word: string, places: Places): Record<string, string> {
  const forms = formsOf(word);
  return Object.fromEntries(
    Object.entries(places).flatMap(([place, text]) => {
      const at = forms.map((form) => text.indexOf(form)).filter((index) => index >= 0);
      return at.length === 0 ? [] : [[place, text.slice(Math.max(0, Math.min(...at) - 120), Math.min(...at) + 160)]];
    }),
  );
}
