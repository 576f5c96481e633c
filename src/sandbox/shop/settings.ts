import { z } from 'zod';
import { localUrl } from '../ports.ts';
import type { Secrets } from '../secrets.ts';
import type { Settings } from '../settings.ts';

/** The variable that tells the API's process about the shop window, as JSON. */
export const SHOP_WINDOW = 'SHOP_WINDOW';

const shopSettingsSchema = z.object({
  apiUrl: z.string(),
  /** The shop's own key: its visitors have none. */
  customerKey: z.string(),
  /** Null where a real service is used instead. */
  inboxUrl: z.string().nullable(),
  temporalUiUrl: z.string().nullable(),
  namespace: z.string(),
  paymentsUrl: z.string().nullable(),
  warehouseUrl: z.string().nullable(),
});

/** What the shop window works with. */
export type ShopSettings = z.infer<typeof shopSettingsSchema>;

/** Reads the settings of the shop window from the environment. */
export const readShopSettings = (variables: NodeJS.ProcessEnv): ShopSettings =>
  shopSettingsSchema.parse(JSON.parse(variables[SHOP_WINDOW] ?? '{}'));

/** @returns the settings of the shop window of a stack. It can break only the services that the stack runs itself. */
export const shopSettings = (
  { ports, real, namespace }: Pick<Settings, 'ports' | 'real' | 'namespace'>,
  { customerKey }: Pick<Secrets, 'customerKey'>,
): ShopSettings => ({
  apiUrl: localUrl(ports.api),
  customerKey,
  inboxUrl: real.smtpUrl === undefined ? localUrl(ports.inbox) : null,
  temporalUiUrl: real.temporalAddress === undefined ? localUrl(ports.temporalUi) : null,
  namespace,
  paymentsUrl: real.stripeApiBase === undefined ? localUrl(ports.payments) : null,
  warehouseUrl: real.warehouseUrl === undefined ? localUrl(ports.warehouse) : null,
});
