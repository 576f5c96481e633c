import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asMarkdown, reportSchema, writeReport, type Report } from './report.ts';

/**
 * Takes figures over into the repository: as JSON, and as tables in the README, where a pair of comments marks the place of
 * each measure. So no figure there is typed.
 * @param from the folder with the reports of the last runs
 * @param bench the folder of the bench
 * @throws Error if the README has no place for a measure
 */
export async function record(from: string, bench: string): Promise<void> {
  const path = join(bench, 'README.md');
  let text = await readFile(path, 'utf8');
  for (const name of (await readdir(from)).filter((file) => file.endsWith('.json'))) {
    const report = reportSchema.parse(JSON.parse(await readFile(join(from, name), 'utf8')));
    await writeReport(join(bench, 'results'), report);
    text = withFigures(text, report);
    console.log(`recorded ${report.measure}`);
  }
  await writeFile(path, text);
}

/** @returns the text with the figures of a report in their place */
export function withFigures(text: string, report: Report): string {
  const [begin, end] = [`<!-- figures: ${report.measure} -->`, '<!-- end of figures -->'];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`The README has no place for ${report.measure}: ${begin} … ${end}`);
  return [text.slice(0, from), begin, '\n', describe(report), '\n', text.slice(to)].join('');
}

function describe({ at, commit, modified, machine, options, tables }: Report): string {
  const chosen = Object.entries(options).map(([name, value]) => `\`--${name} ${String(value)}\``);
  const facts = [
    `Measured on ${at.slice(0, 10)} at commit ${commit}${modified ? ' with changes' : ''}`,
    `${machine.cores} cores of ${machine.cpu}, ${machine.memoryGb} GB, load ${machine.load} before the run`,
    `Node.js ${machine.node}, PostgreSQL ${machine.postgres}`,
    chosen.join(' '),
  ];
  return [`${facts.join('; ')}.`, ...tables.map(asMarkdown)].join('\n\n');
}
