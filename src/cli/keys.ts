import { Option, type Command } from 'commander';
import { ROLES, type Role } from '../contracts/statuses.ts';
import { createApiKey, revokeApiKey, rotateApiKey } from '../operate/api-keys.ts';
import { listApiKeys, type ApiKey } from '../queries/api-keys.ts';
import { connected } from './connections.ts';
import { actorOption, idOf, jsonOption, parseDuration, parseExpiry, reasonOption, type Expiry } from './options.ts';
import { print, table, timeText, type OutputOptions } from './output.ts';

/** ms */
const DAY = 86_400_000;

interface KeyOptions extends OutputOptions {
  actor: string;
  reason?: string;
}

interface ExpiryOptions {
  expires?: Expiry;
}

const expiresOption = (about: string) =>
  new Option('--expires <when>', `90d, 2027-06-30, or never; by default ${about}`).argParser(parseExpiry);

/** `ops keys`: who may use the API. */
export function addKeys(program: Command): void {
  const keys = program.command('keys').description('API keys.');

  keys
    .command('create')
    .description('Creates a key and shows it once.')
    .argument('<name>', 'who will use it')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .addOption(expiresOption('never'))
    .addOption(reasonOption())
    .addOption(actorOption())
    .addOption(jsonOption())
    .action(
      (name: string, { role, expires, actor, reason = `for ${role} use`, ...options }: KeyOptions & ExpiryOptions & { role: Role }) =>
        connected(async ({ db }) => {
          const created = await createApiKey(db, { name, role, expiresAt: endOf(expires) }, { actor, reason });
          print(options, created, () => `${created.key}\n\nKeep it: it is not stored. Its id is ${created.id}.`);
        }),
    );

  keys
    .command('list')
    .description('Lists all keys. One that is being rotated has a line for each secret.')
    .addOption(jsonOption())
    .action((options: OutputOptions) =>
      connected(async ({ db }) => {
        const all = await listApiKeys(db);
        const head = ['id', 'role', 'created', 'expires', 'last used', 'revoked', 'name'];
        print(options, { data: all }, () => table(head, all.flatMap(rowsOf), 'No keys yet.'));
      }),
    );

  keys
    .command('rotate')
    .description('Gives a key a new secret and shows it once. The old one still works for a while. What belongs to the key stays.')
    .argument('<id>')
    .addOption(
      new Option('--overlap <duration>', 'how long the old secret still works; 0 ends it now').argParser(parseDuration).default(DAY, '24h'),
    )
    .addOption(expiresOption('after as long as the old one'))
    .addOption(reasonOption())
    .addOption(actorOption())
    .addOption(jsonOption())
    .action(
      (given: string, { overlap, expires, actor, reason = 'rotation', ...options }: KeyOptions & ExpiryOptions & { overlap: number }) =>
        connected(async ({ db }) => {
          const rotated = await rotateApiKey(db, idOf(given), { overlap, expiresAt: endOf(expires) }, { actor, reason });
          const old = overlap === 0 ? 'no longer works' : `works until ${timeText(new Date(Date.now() + overlap))}`;
          print(options, rotated, () => `${rotated.key}\n\nKeep it: it is not stored. The old secret ${old}.`);
        }),
    );

  keys
    .command('revoke')
    .description('Revokes a key with all its secrets, for good.')
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

const endOf = (expires: Expiry | undefined): Date | null | undefined => (expires === 'never' ? null : expires);

/** The newest secret of a key, and those that it replaces and that still work. */
function rowsOf({ id, role, revokedAt, name, secrets }: ApiKey) {
  return secrets
    .filter(({ expiresAt }, index) => index === 0 || expiresAt === null || expiresAt.getTime() > Date.now())
    .map(({ createdAt, expiresAt, lastUsedAt }) => [id, role, createdAt, expiresAt, lastUsedAt ?? 'never', revokedAt, name]);
}
