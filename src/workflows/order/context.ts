import type { OrderRef } from '../../contracts/ids.ts';
import type { OrderPolicy } from '../../contracts/messages.ts';
import type { OrderStatus } from '../../contracts/statuses.ts';
import type { OrderTemplate } from '../../contracts/templates.ts';
import type { Inbox } from './inbox.ts';

/** What the parts of an order's story share. */
export interface OrderContext {
  ref: OrderRef;
  policy: OrderPolicy;
  inbox: Inbox;
  sendEmail: (template: OrderTemplate, occurrence?: number) => void;
  showStatus: (status: OrderStatus, sentence: string) => void;
  /** Call it before a wait that may take long: everybody can see then what the order waits for. */
  beforeWait: () => Promise<void>;
}
