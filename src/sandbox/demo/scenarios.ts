import type { OrderStatus } from '../../contracts/statuses.ts';

/** What a customer of the demonstration does, and how that should end. */
export interface Scenario {
  name: string;
  items: { sku: string; quantity: number }[];
  method?: string;
  postalCode?: string;
  /** What is done about the order once it is in a status. */
  afterwards?: { when: OrderStatus; action: 'cancel' | 'approve' | 'reject' };
  ends: OrderStatus;
}

const tea = [{ sku: 'TEA-EARL-GREY', quantity: 1 }];
const teaParty = [
  { sku: 'TEA-SENCHA', quantity: 2 },
  { sku: 'CUP-PORCELAIN', quantity: 4 },
  { sku: 'POT-CAST-IRON', quantity: 1 },
];
const samovar = [{ sku: 'SAMOVAR-BRASS', quantity: 1 }];

const times = (count: number, scenario: Scenario): Scenario[] => Array.from({ length: count }, () => scenario);

/** Twenty orders of every kind. */
export const SCENARIOS: readonly Scenario[] = [
  ...times(5, { name: 'a packet of tea', items: tea, ends: 'completed' }),
  ...times(4, { name: 'a tea party', items: teaParty, method: 'pm_card_mastercard', ends: 'completed' }),
  ...times(2, { name: 'sold out', items: [{ sku: 'TEA-GYOKURO-RARE', quantity: 1 }], ends: 'failed' }),
  ...times(2, { name: 'card declined', items: tea, method: 'pm_card_visa_chargeDeclined', ends: 'failed' }),
  { name: 'no funds', items: teaParty, method: 'pm_card_visa_chargeDeclinedInsufficientFunds', ends: 'failed' },
  { name: 'no such address', items: tea, postalCode: '00000', ends: 'failed' },
  ...times(2, {
    name: 'cancelled in time',
    items: teaParty,
    afterwards: { when: 'fulfilling', action: 'cancel' },
    ends: 'cancelled',
  }),
  ...times(2, {
    name: 'samovar, approved',
    items: samovar,
    afterwards: { when: 'awaiting_approval', action: 'approve' },
    ends: 'completed',
  }),
  {
    name: 'samovar, rejected',
    items: samovar,
    afterwards: { when: 'awaiting_approval', action: 'reject' },
    ends: 'failed',
  },
];
