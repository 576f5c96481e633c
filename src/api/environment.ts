import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import type { Database } from '../db/client.ts';
import type { Caller } from '../contracts/caller.ts';
import type { OrderLinks } from '../customer-links.ts';
import type { Logger } from '../log.ts';
import type { ClientAddress } from './client-address.ts';
import type { KeyRing } from './key-ring.ts';
import type { OrderFeed } from './order-feed.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Links } from '../views/links.ts';
import type { Readiness } from './readiness.ts';

/** What the operations work with. */
export interface Dependencies {
  db: Database;
  keys: KeyRing;
  feed: OrderFeed;
  links: Links;
  customerLinks: OrderLinks;
  readiness: Readiness;
  /** May be away. Use `askTemporal`, which waits for a bounded time. */
  temporal: Client;
  clientAddress: ClientAddress;
  limits: RateLimits;
  /** Where people reach Temporal's Web UI. */
  temporalUiUrl: string;
  /** Where clients reach the API. */
  publicUrl: string;
  /** @returns whether a `Host` header names this API */
  isKnownHost: (host: string) => boolean;
  /** IANA name of the shop's time zone: what the schedules are declared in. */
  timeZone: string;
  /** Aborted when the API stops, so that streams end and do not keep the server open. */
  stopping: AbortSignal;
  log: Logger;
  /** `whsec_` and base64, as in Standard Webhooks. Several are valid while they are rotated. */
  warehouseWebhookSecrets: string[];
  /** `whsec_…`, as the provider's dashboard shows it for the endpoint. Several are valid while they are rotated. */
  stripeWebhookSecrets: string[];
}

/** What each request carries. */
export interface ApiEnv {
  /** Node's own response. */
  Bindings: { outgoing: { setHeader(name: string, value: string): unknown } };
  /** `isCounted`: by the rate limit of its key. */
  Variables: { requestId: string; keys: KeyRing; limits: RateLimits; isCounted?: boolean };
}

/** What a request with a valid API key carries. */
export interface CallerEnv {
  Bindings: ApiEnv['Bindings'];
  Variables: ApiEnv['Variables'] & { caller: Caller };
}

export type Api = OpenAPIHono<ApiEnv>;
