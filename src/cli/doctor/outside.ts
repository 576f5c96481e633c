import { createTransport } from 'nodemailer';
import { z } from 'zod';
import { check, NotChecked, CheckFailed, variable, type Finding } from './check.ts';

/** ms for one request */
const TIMEOUT = 5_000;

/** What the outside services answered. */
export interface Outside {
  findings: Finding[];
  /** by service: how far, in ms, its clock is ahead of ours */
  clocks: Map<string, number>;
}

/** @returns whether mail server, payment provider and warehouse answer and accept our credentials. Changes nothing. */
export async function examineOutside(environment: NodeJS.ProcessEnv): Promise<Outside> {
  const clocks = new Map<string, number>();
  const findings = await Promise.all([
    check('Mail server', () => greetMailServer(environment), 'Set SMTP_URL to a mail server that answers, with its user and password.'),
    check('Payment provider', () => askProvider(environment, clocks), 'Set STRIPE_API_BASE and STRIPE_SECRET_KEY, and check the provider’s status page.'),
    check('Warehouse', () => askWarehouse(environment, clocks), 'Set WAREHOUSE_URL and WAREHOUSE_API_KEY, or call the warehouse.'),
  ]);
  return { findings, clocks };
}

/** Connects, says EHLO, and signs in where the URL has a user. */
async function greetMailServer(environment: NodeJS.ProcessEnv): Promise<string> {
  const transport = createTransport({
    url: variable(environment, 'SMTP_URL'),
    connectionTimeout: TIMEOUT,
    greetingTimeout: TIMEOUT,
    socketTimeout: TIMEOUT,
  });
  try {
    await transport.verify();
    return 'answers, and accepts our sign-in';
  } catch (error) {
    // The server's text is left out: it may repeat the user.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    const fix = code === 'EAUTH' ? 'Correct the user and password in SMTP_URL.' : 'Set SMTP_URL to a mail server that answers.';
    throw new CheckFailed(`it refuses the connection (${code})`, fix);
  } finally {
    transport.close();
  }
}

const errorSchema = z.object({ error: z.object({ code: z.string() }) });

/** Asks for a payment that does not exist. Only a valid key is told that it is missing. */
async function askProvider(environment: NodeJS.ProcessEnv, clocks: Map<string, number>): Promise<string> {
  const key = variable(environment, 'STRIPE_SECRET_KEY');
  const base = environment['STRIPE_API_BASE'] || 'https://api.stripe.com';
  const { status, code } = await ask('payment provider', base, '/v1/payment_intents/pi_holdfast_doctor', key, clocks);
  if (status === 401 || status === 403) throw new CheckFailed(`it refuses the key (${status})`, 'Correct STRIPE_SECRET_KEY.');
  if (status === 404 && code === 'resource_missing') return 'answers, and accepts our key';
  throw new CheckFailed(`it answers ${status} ${code}`, 'Check the provider’s status page and STRIPE_API_BASE.');
}

/** Asks for a shipment that does not exist. */
async function askWarehouse(environment: NodeJS.ProcessEnv, clocks: Map<string, number>): Promise<string> {
  const base = variable(environment, 'WAREHOUSE_URL');
  const key = variable(environment, 'WAREHOUSE_API_KEY');
  const { status, code } = await ask('warehouse', base, '/v1/shipments/holdfast-doctor', key, clocks);
  if (status === 401 || status === 403) throw new CheckFailed(`it refuses the key (${status})`, 'Correct WAREHOUSE_API_KEY.');
  if (status === 404 && code !== '') return 'answers, and accepts our key';
  throw new CheckFailed(`it answers ${status} ${code}`, 'Check WAREHOUSE_URL, or call the warehouse.');
}

async function ask(who: string, base: string, path: string, key: string, clocks: Map<string, number>) {
  const sent = Date.now();
  const response = await fetch(new URL(path, base), {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(TIMEOUT),
    redirect: 'error',
  });
  const there = Date.parse(response.headers.get('date') ?? '');
  // The header has whole seconds, rounded down.
  if (!Number.isNaN(there)) clocks.set(who, there + 500 - (sent + Date.now()) / 2);
  const body: unknown = await response.json().catch(() => undefined);
  return { status: response.status, code: errorSchema.safeParse(body).data?.error.code ?? '' };
}

/** @returns how far, in ms, the clock of the host of Temporal's Web UI is ahead of ours. @throws NotChecked when it sends no time */
export async function temporalClock(environment: NodeJS.ProcessEnv): Promise<number> {
  const sent = Date.now();
  const response = await fetch(variable(environment, 'TEMPORAL_UI_URL'), { method: 'HEAD', signal: AbortSignal.timeout(TIMEOUT) });
  const there = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(there)) throw new NotChecked('it sends no time');
  return there + 500 - (sent + Date.now()) / 2;
}
