import { CancellationScope } from '@temporalio/workflow';
import type { EmailRef, OrderRef } from '../../contracts/ids.ts';
import type { OrderTemplate } from '../../contracts/templates.ts';
import { bookkeeping, email } from '../activities.ts';
import { BestEffortMessages } from '../best-effort.ts';

type Call = Parameters<typeof email.patiently>[0];

/**
 * The emails of one order. Their first tries are made when the story is about to wait, one after another, and the story waits
 * for them: a replay may resolve local activities in another order than the run did, so nothing may depend on which of two ends
 * first.
 */
export class OrderEmails {
  readonly #ref: OrderRef;
  readonly #isPrompt: boolean;
  readonly #messages: BestEffortMessages<EmailRef>;
  #waiting: { sent: EmailRef; call: Call }[] = [];

  /** @param options `isPrompt`: whether there are first tries; otherwise each email is a normal activity at once */
  constructor(ref: OrderRef, { isPrompt }: { isPrompt: boolean }) {
    this.#ref = ref;
    this.#isPrompt = isPrompt;
    this.#messages = new BestEffortMessages((sent, error) => bookkeeping.recordFailedEmail({ ...ref, ...sent, ...error }));
  }

  /** Sends an email without waiting for it. @param occurrence counts from 1, for emails that are sent more than once */
  send(template: OrderTemplate, occurrence: number): void {
    const call: Call = ({ sendOrderEmail }) => sendOrderEmail(this.#ref, template, occurrence);
    this.#waiting.push({ sent: { template, occurrence }, call });
    if (!this.#isPrompt) this.sendPatiently();
  }

  /** Makes the first tries. An email whose first try fails is retried without being waited for. */
  async sendPromptly(): Promise<void> {
    for (const { sent, call } of this.#take()) {
      const retries = await email.firstTry(call).catch((error: unknown) => () => Promise.reject(error));
      if (retries) this.#sendAlongside(sent, retries);
    }
  }

  /** Starts to send without first tries: there is trouble, and nothing may hold up the story. */
  sendPatiently(): void {
    for (const { sent, call } of this.#take()) this.#sendAlongside(sent, () => email.patiently(call));
  }

  /** Waits until each email is either sent or recorded as failed. A run that ends sooner would drop it. */
  async settled(): Promise<void> {
    await this.sendPromptly();
    await this.#messages.settled();
  }

  /** A cancellation of the step that the story is at does not cancel it. */
  #sendAlongside(sent: EmailRef, run: () => Promise<void>): void {
    this.#messages.send(sent, () => CancellationScope.nonCancellable(run));
  }

  #take() {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
