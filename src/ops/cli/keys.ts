import { Option, type Command } from 'commander';
import { ROLES, type Role } from '../../contracts/statuses.ts';
import { createApiKey, listApiKeys, revokeApiKey } from '../api-keys.ts';
import { connected } from './connections.ts';
import { RefusedError } from './exit.ts';
import { idOf, jsonOption } from './options.ts';
import { print, table, type OutputOptions } from './output.ts';

/** `ops keys`: who may use the API. */
export function addKeys(program: Command): void {
  const keys = program.command('keys').description('API keys');

  keys
    .command('create')
    .description('make a key and show it, once')
    .argument('<name>', 'who will use it')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .addOption(jsonOption())
    .action((name: string, options: OutputOptions & { role: Role }) =>
      connected(async ({ db }) => {
        const made = await createApiKey(db, { name, role: options.role });
        print(options, made, () => `${made.key}\n\nKeep it: it is not stored. Its id is ${made.id}.`);
      }),
    );

  keys
    .command('list')
    .description('show all keys')
    .addOption(jsonOption())
    .action((options: OutputOptions) =>
      connected(async ({ db }) => {
        const all = await listApiKeys(db);
        const rows = all.map(({ id, name, role, createdAt, revokedAt }) => [id, role, createdAt, revokedAt, name]);
        print(options, { data: all }, () => table(['id', 'role', 'made', 'revoked', 'name'], rows, 'There are no keys.'));
      }),
    );

  keys
    .command('revoke')
    .description('take a key out of use')
    .argument('<id>')
    .addOption(jsonOption())
    .action((given: string, options: OutputOptions) =>
      connected(async ({ db }) => {
        const id = idOf(given);
        if (!(await revokeApiKey(db, id))) throw new RefusedError(`There is no key ${id} in use.`);
        print(options, { id, revoked: true }, () => `${id} is revoked.`);
      }),
    );
}
