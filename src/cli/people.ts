import type { Command } from 'commander';
import { z } from 'zod';
import { erasePerson, type Erasure } from '../operate/people.ts';
import { confirm } from './confirm.ts';
import { connected } from './connections.ts';
import { instructionOf, jsonOption, parseWith, withInstruction, yesOption } from './options.ts';
import { print, type OutputOptions } from './output.ts';
import type { ActionOptions } from './action.ts';

/** `ops people`: what the shop knows about a person. */
export function addPeople(program: Command): void {
  const people = program.command('people').description('The people behind orders and signups.');

  withInstruction(
    people
      .command('erase')
      .description('Replaces a person\'s data in orders, signups, records of emails and stored answers. This cannot be undone.')
      .argument('<email>', 'their email address', parseWith(z.email())),
  )
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((email: string, options: ActionOptions & OutputOptions) =>
      connected(async ({ db }) => {
        const instruction = instructionOf(options);
        await confirm(`Erase the data of ${email}`, options);
        const erasure = await erasePerson(db, email, instruction);
        print(options, erasure, () => describe(erasure));
      }),
    );
}

function describe({ id, orders, invoices, signups, remaining }: Erasure): string {
  return [
    `Orders erased: ${orders}. Signups erased: ${signups}. In the audit, this is ${id}.`,
    ...(invoices > 0 ? [`Invoices that keep name and address, as accounting requires: ${invoices}.`] : []),
    ...(remaining > 0 ? [`Left, because they are in progress, have just ended or need attention: ${remaining}. Run this again later.`] : []),
    'The payment provider, the warehouse and the mail server have copies of their own.',
  ].join('\n');
}
