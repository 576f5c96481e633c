import { SERVICE_NAMES as NAMES } from '../../contracts/health.ts';
import type { WantedFault } from '../fault-panels.ts';
import { faultText } from '../simulators/fault-words.ts';
import type { Fault } from '../simulators/faults.ts';

/** The outside services that a visitor can break. */
export const SERVICES = ['warehouse', 'payments'] as const;
export type Service = (typeof SERVICES)[number];

export const SERVICE_NAMES: Record<Service, string> = { warehouse: NAMES.warehouse, payments: NAMES.payment };

/** What an order asks of a service. Probes and reconciliations ask for other things, and must not use up an answer to lose. */
const ORDERED: Record<Service, string> = { warehouse: 'POST /v1/shipments', payments: 'POST /v1/payment_intents/:id/confirm' };

/** What a visitor can do to a service. */
export const FAULT_CHOICES = {
  down: { label: 'Take down', fault: () => ({ mode: 'down' }) },
  slow: { label: 'Slow down', fault: () => ({ mode: 'slow', delayMs: 5_000 }) },
  lose: { label: 'Lose an answer', fault: (service) => ({ mode: 'drop_after_commit', count: 1, operation: ORDERED[service] }) },
  heal: { label: 'Heal', fault: () => null },
} as const satisfies Record<string, { label: string; fault: (service: Service) => WantedFault | null }>;

export type FaultChoice = keyof typeof FAULT_CHOICES;

/** @returns how a service is, e.g. `is down`. @param fault undefined if it did not tell */
export function describeFault(fault: Fault | null | undefined): { text: string; broken: boolean } {
  if (fault === undefined) return { text: 'does not answer', broken: true };
  return { text: faultText(fault), broken: fault !== null };
}
