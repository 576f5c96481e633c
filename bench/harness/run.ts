import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { createTemporaryFolder } from '../../test/support/temporary-folder.ts';
import type { Measure } from './measure.ts';
import { startBenchPostgres } from './postgres.ts';
import { describeRun, type Report } from './report.ts';
import type { Bench } from './sides.ts';

/**
 * Runs a measure on a Postgres of its own.
 * @param input its options; the rest have their defaults
 * @param place `out`: the folder for what is kept beside the figures
 * @throws ZodError if an option is wrong
 */
export async function runMeasure<Options extends z.ZodObject>(
  measure: Measure<Options>,
  input: z.input<Options>,
  { out, baseline, tell }: Pick<Bench, 'baseline' | 'tell'> & { out: string },
): Promise<Report> {
  const options = measure.options.parse(input);
  const { machine, ...described } = await describeRun();
  await mkdir(out, { recursive: true });
  const keep = (file: string, text: string) => writeFile(join(out, file), text);
  const folder = await createTemporaryFolder();
  const ends = [folder.remove];
  try {
    const postgres = await startBenchPostgres(folder.path);
    ends.push(postgres.stop);
    const atEnd: Bench['atEnd'] = (stop) => ends.push(stop);
    return {
      measure: measure.name,
      ...described,
      machine: { ...machine, postgres: postgres.version },
      options: { ...options, ...(baseline !== undefined && { baseline }) },
      tables: await measure.run({ folder: folder.path, postgres, baseline, tell, keep, atEnd }, options),
    };
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}
