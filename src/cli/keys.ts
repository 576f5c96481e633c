import { Option, type Command } from 'commander';
import { ROLES, type Role } from '../contracts/statuses.ts';
import { createApiKey, revokeApiKey } from '../operate/api-keys.ts';
import { listApiKeys } from '../queries/api-keys.ts';
import { connected } from './connections.ts';
import { actorOption, idOf, jsonOption, reasonOption } from './options.ts';
import { print, table, type OutputOptions } from './output.ts';

interface KeyOptions extends OutputOptions {
  actor: string;
  reason?: string;
}

/** `ops keys`: who may use the API. */
export function addKeys(program: Command): void {
  const keys = program.command('keys').description('API keys.');

  keys
    .command('create')
    .description('Creates a key and shows it once.')
    .argument('<name>', 'who will use it')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .addOption(reasonOption())
    .addOption(actorOption())
    .addOption(jsonOption())
    .action((name: string, { role, actor, reason = `for ${role} use`, ...options }: KeyOptions & { role: Role }) =>
      connected(async ({ db }) => {
        const created = await createApiKey(db, { name, role }, { actor, reason });
        print(options, created, () => `${created.key}\n\nKeep it: it is not stored. Its id is ${created.id}.`);
      }),
    );

  keys
    .command('list')
    .description('Lists all keys.')
    .addOption(jsonOption())
    .action((options: OutputOptions) =>
      connected(async ({ db }) => {
        const all = await listApiKeys(db);
        const rows = all.map(({ id, name, role, createdAt, revokedAt }) => [id, role, createdAt, revokedAt, name]);
        print(options, { data: all }, () => table(['id', 'role', 'created', 'revoked', 'name'], rows, 'No keys yet.'));
      }),
    );

  keys
    .command('revoke')
    .description('Revokes a key.')
    .argument('<id>')
    .addOption(reasonOption())
    .addOption(actorOption())
    .addOption(jsonOption())
    .action((given: string, { actor, reason = 'no longer used', ...options }: KeyOptions) =>
      connected(async ({ db }) => {
        const id = idOf(given);
        await revokeApiKey(db, id, { actor, reason });
        print(options, { id, revoked: true }, () => `${id} is revoked.`);
      }),
    );
}
