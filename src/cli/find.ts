import type { Command } from 'commander';
import { find, type Found } from '../queries/find.ts';
import { connected } from './connections.ts';
import { jsonOption } from './options.ts';
import { print, table, type OutputOptions } from './output.ts';

/** `ops find`: what a person can name. */
export function addFind(program: Command): void {
  program
    .command('find')
    .description('Finds orders, signups, failures and bulk actions.')
    .argument(
      '<text>',
      'an id, the number of an order as emails show it, the subject of an email, an email address, or the number of a payment, a refund, a parcel or an invoice',
    )
    .addOption(jsonOption())
    .action((text: string, options: OutputOptions) =>
      connected(async ({ db }) => {
        const found = await find(db, text);
        print(options, found, () => foundText(found));
      }),
    );
}

const foundText = (found: Found[]): string =>
  table(
    ['kind', 'id', 'status', 'about', 'created'],
    found.map(({ kind, id, status, about, createdAt }) => [kind, id, status, about, createdAt]),
    'Nothing found.',
  );
