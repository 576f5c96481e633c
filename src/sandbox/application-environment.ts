import { join } from 'node:path';
import { localUrl } from './ports.ts';
import { SetupError } from './project.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';

/** Name of the file in the data folder that tells Temporal's tools how to reach the embedded Temporal. */
export const temporalProfile = 'temporal.toml';

/** Addresses of the services that the API and the worker use. */
export interface Addresses {
  database: string;
  temporal: string;
  mail: string;
  payments: string;
  warehouse: string;
}

/**
 * @param variables the environment that the user started the stack with
 * @returns the environment of the API, the worker and the operator commands
 * @throws SetupError if the environment names a real service but not its credentials
 */
export function applicationEnvironment(
  settings: Settings,
  variables: NodeJS.ProcessEnv,
  secrets: Secrets,
  addresses: Addresses,
): NodeJS.ProcessEnv {
  const { ports, real } = settings;
  // The embedded Temporal has no TLS: settings for the user's own Temporal would break the connection.
  const foreign = /^TEMPORAL_(API_KEY|PROFILE|CONFIG_FILE|TLS.*)$/;
  const own = Object.entries(variables).filter(([name]) => real.temporalAddress !== undefined || !foreign.test(name));
  return {
    MAIL_FROM: 'Holdfast <shop@holdfast.example>',
    OPERATIONS_EMAIL: 'operations@holdfast.example',
    ONCALL_EMAIL: 'oncall@holdfast.example',
    TEMPORAL_UI_URL: localUrl(ports.temporalUi),
    PUBLIC_URL: localUrl(ports.api),
    API_HOST: '127.0.0.1',
    ...(real.temporalAddress === undefined && { TEMPORAL_CONFIG_FILE: join(settings.home, temporalProfile) }),
    ...Object.fromEntries(own),
    DATABASE_URL: addresses.database,
    TEMPORAL_ADDRESS: addresses.temporal,
    TEMPORAL_NAMESPACE: settings.namespace,
    PAYLOAD_KEYS: variables['PAYLOAD_KEYS'] || secrets.payloadKeys,
    SMTP_URL: addresses.mail,
    STRIPE_API_BASE: addresses.payments,
    STRIPE_SECRET_KEY: real.stripeApiBase
      ? requireVariable(variables, 'STRIPE_SECRET_KEY', 'STRIPE_API_BASE')
      : secrets.stripeSecretKey,
    STRIPE_WEBHOOK_SECRET: real.stripeApiBase
      ? requireVariable(variables, 'STRIPE_WEBHOOK_SECRET', 'STRIPE_API_BASE')
      : secrets.stripeWebhookSecret,
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
 * Returns a variable that a real service needs.
 * @throws SetupError if it is not set
 */
function requireVariable(variables: NodeJS.ProcessEnv, name: string, because: string): string {
  const value = variables[name];
  if (!value) throw new SetupError(`${name} must be set too, because ${because} is set.`);
  return value;
}
