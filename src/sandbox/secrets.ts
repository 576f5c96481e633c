import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SetupError } from './project.ts';

const token = z.string().min(16);

const secretsFile = z.object({
  databasePassword: token,
  customerKey: token,
  supportKey: token,
  operatorKey: token,
  stripeSecretKey: token,
  stripeWebhookSecret: token,
  warehouseApiKey: token,
  warehouseWebhookSecret: token,
  /** In the format of `PAYLOAD_KEYS`. */
  payloadKeys: token,
});

/** The secrets of one embedded stack. */
export type Secrets = z.infer<typeof secretsFile>;

/**
 * Reads the stack's secrets from `secrets.json` in its data folder. Generates the missing ones: all of them at the first
 * start, and later any that a newer version needs. Only the owner can read the file.
 * @throws SetupError if the file is damaged: with new secrets, the existing database could not be opened
 */
export async function loadSecrets(home: string): Promise<Secrets> {
  const path = join(home, 'secrets.json');
  const known = await readKnown(path);
  const secrets = secretsFile.parse({ ...freshSecrets(), ...known });
  if (Object.keys(known).length < Object.keys(secrets).length) {
    await writeSecret(path, `${JSON.stringify(secrets, null, 2)}\n`);
  }
  return secrets;
}

/** Writes a file that only its owner can read. Whoever reads it sees all of it, or what was there before. */
export async function writeSecret(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function readKnown(path: string) {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return {};
  try {
    return secretsFile.partial().parse(JSON.parse(text));
  } catch {
    throw new SetupError(`${path} is damaged. Restore it, or remove the whole folder to start with an empty stack.`);
  }
}

const random = (prefix: string) => `${prefix}${randomBytes(24).toString('base64url')}`;
/** In the format of Standard Webhooks (https://www.standardwebhooks.com). */
const webhookSecret = () => `whsec_${randomBytes(24).toString('base64')}`;

function freshSecrets(): Secrets {
  return {
    databasePassword: random(''),
    customerKey: random('hf_customer_'),
    supportKey: random('hf_support_'),
    operatorKey: random('hf_operator_'),
    stripeSecretKey: random('sk_test_'),
    stripeWebhookSecret: webhookSecret(),
    warehouseApiKey: random('wh_'),
    warehouseWebhookSecret: webhookSecret(),
    payloadKeys: `key-1:${randomBytes(32).toString('base64')}`,
  };
}
