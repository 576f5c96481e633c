import { join } from 'node:path';
import { SetupError } from './project.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';

/** Configuration file of Temporal's tools, in the data folder, for the embedded Temporal. */
export const temporalProfile = 'temporal.toml';

/** Where the parts are that the applications use. */
export interface Addresses {
  database: string;
  temporal: string;
  mail: string;
  payments: string;
  warehouse: string;
}

/**
 * @param variables the person's own environment
 * @returns the environment of the API, of the worker, and of what looks after them
 * @throws SetupError when a real part is given without its credentials
 */
export function applicationEnvironment(
  settings: Settings,
  variables: NodeJS.ProcessEnv,
  secrets: Secrets,
  addresses: Addresses,
): NodeJS.ProcessEnv {
  const { ports, real } = settings;
  // Credentials and the configuration file of the person's own Temporal are not for the embedded one, which has no TLS.
  const foreign = /^TEMPORAL_(API_KEY|PROFILE|CONFIG_FILE|TLS.*)$/;
  const own = Object.entries(variables).filter(([name]) => real.temporalAddress !== undefined || !foreign.test(name));
  return {
    MAIL_FROM: 'Holdfast <shop@holdfast.example>',
    OPERATIONS_EMAIL: 'operations@holdfast.example',
    ONCALL_EMAIL: 'oncall@holdfast.example',
    TEMPORAL_UI_URL: `http://127.0.0.1:${ports.temporalUi}`,
    PUBLIC_URL: `http://127.0.0.1:${ports.api}`,
    API_HOST: '127.0.0.1',
    ...(real.temporalAddress === undefined && { TEMPORAL_CONFIG_FILE: join(settings.home, temporalProfile) }),
    ...Object.fromEntries(own),
    DATABASE_URL: addresses.database,
    TEMPORAL_ADDRESS: addresses.temporal,
    TEMPORAL_NAMESPACE: settings.namespace,
    SMTP_URL: addresses.mail,
    STRIPE_API_BASE: addresses.payments,
    STRIPE_SECRET_KEY: real.stripeApiBase
      ? requireVariable(variables, 'STRIPE_SECRET_KEY', 'STRIPE_API_BASE')
      : secrets.stripeSecretKey,
    WAREHOUSE_URL: addresses.warehouse,
    WAREHOUSE_API_KEY: real.warehouseUrl
      ? requireVariable(variables, 'WAREHOUSE_API_KEY', 'WAREHOUSE_URL')
      : secrets.warehouseApiKey,
    WAREHOUSE_WEBHOOK_SECRET: real.warehouseUrl
      ? requireVariable(variables, 'WAREHOUSE_WEBHOOK_SECRET', 'WAREHOUSE_URL')
      : secrets.warehouseWebhookSecret,
    API_PORT: String(ports.api),
  };
}

/**
 * What the environment must carry for a part that is not run here.
 * @throws SetupError naming what is missing
 */
function requireVariable(variables: NodeJS.ProcessEnv, name: string, because: string): string {
  const value = variables[name];
  if (!value) throw new SetupError(`${name} must be set too, because ${because} is set.`);
  return value;
}
