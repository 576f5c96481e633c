import type { OrderRef } from '../../contracts/ids.ts';
import type { OrderPolicy } from '../../contracts/messages.ts';
import type { OrderTemplate } from '../../contracts/templates.ts';
import type { Inbox } from './inbox.ts';

/** What the parts of an order's story share. */
export interface OrderContext {
  ref: OrderRef;
  policy: OrderPolicy;
  inbox: Inbox;
  sendEmail: (template: OrderTemplate, occurrence?: number) => void;
}
