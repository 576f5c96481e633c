import { unavailable, type Dependency } from './errors.ts';

/** The outside services that are probed. The receiver of alerts is not: what it is sent may wake someone. */
export const SERVICES = ['email', 'payment', 'warehouse'] as const satisfies readonly Dependency[];
export type Service = (typeof SERVICES)[number];

/** What people call each service. */
export const SERVICE_NAMES: Record<Service, string> = {
  email: 'Mail server',
  payment: 'Payment provider',
  warehouse: 'Warehouse',
};

/** `not_checked`: the last probe is too old to tell. */
export const SERVICE_STATES = ['ok', 'failing', 'not_checked'] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

/** `not_polling`: its process runs, but takes no tasks. `gone`: killed, or cut off. `not_checked`: Temporal did not answer. */
export const WORKER_STATES = ['ok', 'not_polling', 'gone', 'not_checked'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

/**
 * ms without a sign of life after which a worker, one of its pollers, or a probe counts no more. A poll takes up to a minute,
 * and Temporal goes on listing the pollers of a dead worker for several.
 */
export const SILENT_AFTER = 70_000;

/** @returns the service that errors of a type are about */
export const serviceOf = (errorType: string): Service | undefined =>
  SERVICES.find((service) => unavailable(service) === errorType);
