import { z } from 'zod';
import type { Figures } from './report.ts';
import type { Bench } from './sides.ts';

/** One measure of the bench. Its options become options of the command line, so their input is text. */
export interface Measure<Options extends z.ZodObject = z.ZodObject> {
  name: string;
  /** One sentence for `--help`. */
  about: string;
  options: Options;
  run: (bench: Bench, options: z.output<Options>) => Promise<Figures[]>;
}

export const defineMeasure = <Options extends z.ZodObject>(measure: Measure<Options>): Measure<Options> => measure;

/** An option that is a positive number. @param preset its default */
export const positive = (preset: number) => z.coerce.number().int().positive().default(preset);

/** An option that is some of several words, separated by commas, or `none`. All are its default. */
export const list = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z
    .string()
    .default(words.join(','))
    .transform((text) => (text === 'none' ? [] : text.split(',')))
    .pipe(z.array(z.enum(words)));

/** @returns the middle one of some numbers */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
