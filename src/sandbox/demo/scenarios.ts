import type { OrderStatus } from '../../contracts/statuses.ts';

/** An order of the demo, and the status that it should end in. */
export interface Scenario {
  name: string;
  items: { sku: string; quantity: number }[];
  method?: string;
  postalCode?: string;
  /** An action on the order once it has one of these statuses. */
  afterwards?: { when: OrderStatus[]; action: 'cancel' | 'approve' | 'reject' };
  ends: OrderStatus;
}

const tea = [{ sku: 'TEA-EARL-GREY', quantity: 1 }];
const teaParty = [
  { sku: 'TEA-SENCHA', quantity: 2 },
  { sku: 'CUP-PORCELAIN', quantity: 4 },
  { sku: 'POT-CAST-IRON', quantity: 1 },
];
const samovar = [{ sku: 'SAMOVAR-BRASS', quantity: 1 }];

/** The plainest order. */
export const PACKET_OF_TEA: Scenario = { name: 'a packet of tea', items: tea, ends: 'completed' };

const times = (count: number, scenario: Scenario): Scenario[] => Array.from({ length: count }, () => scenario);

/** The twenty orders of the demo. */
export const SCENARIOS: readonly Scenario[] = [
  ...times(5, PACKET_OF_TEA),
  ...times(4, { name: 'a tea party', items: teaParty, method: 'pm_card_mastercard', ends: 'completed' }),
  ...times(2, { name: 'sold out', items: [{ sku: 'TEA-GYOKURO-RARE', quantity: 1 }], ends: 'failed' }),
  ...times(2, { name: 'card declined', items: tea, method: 'pm_card_visa_chargeDeclined', ends: 'failed' }),
  { name: 'no funds', items: teaParty, method: 'pm_card_visa_chargeDeclinedInsufficientFunds', ends: 'failed' },
  { name: 'invalid address', items: tea, postalCode: '00000', ends: 'failed' },
  ...times(2, {
    name: 'cancelled in time',
    items: teaParty,
    // While the warehouse takes no orders: paid, and perhaps parked already.
    afterwards: { when: ['charged', 'needs_attention'], action: 'cancel' },
    ends: 'cancelled',
  }),
  ...times(2, {
    name: 'samovar, approved',
    items: samovar,
    afterwards: { when: ['awaiting_approval'], action: 'approve' },
    ends: 'completed',
  }),
  {
    name: 'samovar, rejected',
    items: samovar,
    afterwards: { when: ['awaiting_approval'], action: 'reject' },
    ends: 'failed',
  },
];
