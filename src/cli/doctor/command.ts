import type { Command } from 'commander';
import type { Finding } from './check.ts';
import { examine } from './examine.ts';
import { EXIT } from '../exit.ts';
import { jsonOption } from '../options.ts';
import { print, red, type OutputOptions } from '../output.ts';

/** `ops doctor`: what is wrong, and how to fix it. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('Checks every part, and says how to fix what is wrong.')
    .addOption(jsonOption())
    .action(async (options: OutputOptions) => {
      const examination = await examine(process.env);
      print(options, examination, () => examination.findings.map(findingText).join('\n'));
      if (!examination.ok) process.exitCode = EXIT.problem;
    });
}

const MARKS = { ok: '✔', failed: '✘', unknown: '–' } as const;

function findingText({ name, outcome, detail, fix }: Finding): string {
  const line = `${MARKS[outcome]} ${name}: ${detail}`;
  return outcome === 'failed' ? `${red(line)}\n    ${fix ?? ''}` : line;
}
