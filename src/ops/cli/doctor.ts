import type { Command } from 'commander';
import type { Finding } from '../doctor/check.ts';
import { examine } from '../doctor.ts';
import { EXIT } from './exit.ts';
import { jsonOption } from './options.ts';
import { print, red, type OutputOptions } from './output.ts';

/** `ops doctor`: what is not as it should be, and how to mend it. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look at every part, and say how to mend what is not well')
    .addOption(jsonOption())
    .action(async (options: OutputOptions) => {
      const examination = await examine(process.env);
      print(options, examination, () => examination.findings.map(findingText).join('\n'));
      if (!examination.ok) process.exitCode = EXIT.unwell;
    });
}

const MARKS = { well: '✔', unwell: '✘', unknown: '–' } as const;

function findingText({ name, outcome, detail, mend }: Finding): string {
  const line = `${MARKS[outcome]} ${name}: ${detail}`;
  return outcome === 'unwell' ? `${red(line)}\n    ${mend ?? ''}` : line;
}
