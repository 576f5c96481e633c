import { z } from 'zod';
import { loadApprovalThreshold } from '../../config.ts';
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

type StackSettings = z.infer<typeof shopSettingsSchema>;

/** What the shop window works with. */
export interface ShopSettings extends StackSettings {
  /** Minor units. Orders above it wait for approval. */
  approvalThreshold: number;
}

/** Reads the settings of the shop window from the environment. */
export const readShopSettings = (variables: NodeJS.ProcessEnv): ShopSettings => ({
  ...shopSettingsSchema.parse(JSON.parse(variables[SHOP_WINDOW] ?? '{}')),
  approvalThreshold: loadApprovalThreshold(variables),
});

/** @returns what a stack tells its shop window. It can break only the services that the stack runs itself. */
export const shopSettings = (
  { ports, real, namespace }: Pick<Settings, 'ports' | 'real' | 'namespace'>,
  { customerKey }: Pick<Secrets, 'customerKey'>,
): StackSettings => ({
  apiUrl: localUrl(ports.api),
  customerKey,
  inboxUrl: real.smtpUrl === undefined ? localUrl(ports.inbox) : null,
  temporalUiUrl: real.temporalAddress === undefined ? localUrl(ports.temporalUi) : null,
  namespace,
  paymentsUrl: real.stripeApiBase === undefined ? localUrl(ports.payments) : null,
  warehouseUrl: real.warehouseUrl === undefined ? localUrl(ports.warehouse) : null,
});
