import { Command, Option } from 'commander';
import { z } from 'zod';
import { ROLES } from '../contracts/statuses.ts';
import { connectDatabase, type Database } from '../db/client.ts';
import { createApiKey, listApiKeys, revokeApiKey } from './api-keys.ts';

const json = () => new Option('--json', 'print JSON');

/** Prints one thing: as JSON for programs, as text for people. */
function print(options: { json?: boolean }, value: unknown, text: string): void {
  console.log(options.json ? JSON.stringify(value) : text);
}

async function withDatabase(work: (db: Database) => Promise<void>): Promise<void> {
  const url = process.env['DATABASE_URL'];
  if (!url) throw new Error('DATABASE_URL is not set');
  const { db, close } = connectDatabase(url, { max: 1, name: 'holdfast-ops' });
  try {
    await work(db);
  } finally {
    await close();
  }
}

const program = new Command('ops').description('Looks after a running Holdfast. Needs DATABASE_URL.');
const keys = program.command('keys').description('API keys');

keys
  .command('create')
  .description('make a key and show it, once')
  .argument('<name>', 'who will use it')
  .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
  .addOption(json())
  .action((name: string, options: { role: (typeof ROLES)[number]; json?: boolean }) =>
    withDatabase(async (db) => {
      const made = await createApiKey(db, { name, role: options.role });
      print(options, made, `${made.key}\n\nKeep it: it is not stored. Its id is ${made.id}.`);
    }),
  );

keys
  .command('list')
  .description('show all keys')
  .addOption(json())
  .action((options: { json?: boolean }) =>
    withDatabase(async (db) => {
      const all = await listApiKeys(db);
      const lines = all.map(({ id, name, role, createdAt, revokedAt }) => {
        const until = revokedAt ? `revoked ${revokedAt.toISOString()}` : 'in use';
        return `${id}  ${role.padEnd(8)}  ${createdAt.toISOString()}  ${until}  ${name}`;
      });
      print(options, { data: all }, lines.join('\n') || 'There are no keys.');
    }),
  );

keys
  .command('revoke')
  .description('take a key out of use')
  .argument('<id>')
  .addOption(json())
  .action((id: string, options: { json?: boolean }) =>
    withDatabase(async (db) => {
      if (!z.uuid().safeParse(id).success || !(await revokeApiKey(db, id))) {
        throw new Error(`There is no key ${id} in use.`);
      }
      print(options, { id, revoked: true }, `${id} is revoked.`);
    }),
  );

try {
  await program.parseAsync();
} catch (error) {
  // The message of a failed query holds its parameters; what went wrong is in the cause.
  const root = error instanceof Error ? (error.cause ?? error) : error;
  console.error(`ops: ${root instanceof Error ? root.message : String(root)}`);
  process.exitCode = 1;
}
