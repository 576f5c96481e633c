// `npm run bench -- cost --baseline e1c87c7`: measures, prints tables and writes them as JSON. See bench/README.md.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../src/sandbox/project.ts';
import { asText, writeReport } from './harness/report.ts';
import { runMeasure } from './harness/run.ts';
import { record } from './harness/record.ts';
import { MEASURES } from './measures/index.ts';

const optionNames = new Set(MEASURES.flatMap(({ options }) => Object.keys(options.shape)));
const { values, positionals } = readCommandLine();
const { baseline, out, ...options } = values;
const chosen = MEASURES.filter(({ name }) => positionals.includes(name));

if (positionals.length === 1 && positionals[0] === 'record') {
  await record(out, join(projectRoot, 'bench'));
} else if (chosen.length === 0 || chosen.length < positionals.length) {
  console.error(usage());
  process.exitCode = 1;
} else {
  for (const measure of chosen) {
    const report = await runMeasure(measure, options, { out, baseline, tell: (line) => console.error(line) });
    for (const table of report.tables) console.log(`\n${asText(table)}`);
    console.log(`\n${await writeReport(out, report)}`);
  }
}

function readCommandLine() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        baseline: { type: 'string' },
        out: { type: 'string', default: join(projectRoot, '.holdfast', 'bench') },
        ...Object.fromEntries([...optionNames].map((name) => [name, { type: 'string' as const }])),
      },
    });
  } catch (error) {
    // An unknown option, `--help` among them.
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage()}`);
    process.exit(1);
  }
}

function usage(): string {
  const lines = MEASURES.map(({ name, about, options: { shape } }) => {
    const own = Object.keys(shape).map((option) => `--${option}`);
    return `  ${name}\n      ${about}\n      ${own.join(' ')}`;
  });
  return `Usage: npm run bench -- MEASURE… [options]

${lines.join('\n')}
  record
      Takes the figures in --out over into bench/results and bench/README.md.

  --baseline COMMIT  also measures that commit
  --out FOLDER       where to write the figures (default: .holdfast/bench)`;
}
