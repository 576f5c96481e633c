import { fileURLToPath } from 'node:url';
import { openSync, type Font } from 'fontkit';

/** A piece of a text that one font can show. */
export interface Run {
  font: Font;
  text: string;
}

/** For Latin, Greek, Cyrillic, Hebrew, Arabic and more. Its height is that of a line. */
export const mainFont = () => open('DejaVuSans.ttf');

/** For Chinese, Japanese and Korean, and for nothing else. */
const cjkFont = () => open('DroidSansFallback.ttf');

const opened = new Map<string, Font>();

/** Opens a font of this folder when it is first needed, and keeps it, because opening it takes longest. */
function open(file: string): Font {
  const known = opened.get(file);
  if (known) return known;
  const font = openSync(fileURLToPath(new URL(`./fonts/${file}`, import.meta.url)));
  if (!('hasGlyphForCodePoint' in font)) throw new Error(`${file} holds more than one font.`);
  // A glyph that is first used as a part of another would never know which character it shows: text could not be copied from a PDF.
  for (const codePoint of font.characterSet) font.glyphForCodePoint(codePoint);
  opened.set(file, font);
  return font;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Not shown, so no font needs them: joiners, and the selectors of a variant of the character before. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;

/** @returns a text in pieces, each with the first font that has all of its characters. What none has is shown as a box. */
export function runsOf(text: string): Run[] {
  const runs: Run[] = [];
  for (const { segment } of graphemes.segment(text)) {
    const shown = Array.from(segment.replaceAll(IGNORABLE, ''), (character) => character.codePointAt(0) ?? 0);
    const has = (font: Font) => shown.every((codePoint) => font.hasGlyphForCodePoint(codePoint));
    const font = !has(mainFont()) && has(cjkFont()) ? cjkFont() : mainFont();
    const last = runs.at(-1);
    if (last?.font === font) last.text += segment;
    else runs.push({ font, text: segment });
  }
  return runs;
}
