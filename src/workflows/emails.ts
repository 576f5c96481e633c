import { CancellationScope } from '@temporalio/workflow';
import type { ErrorDetails } from '../contracts/errors.ts';
import type { EmailRef } from '../contracts/ids.ts';
import { email } from './activities.ts';
import { BestEffortMessages } from './best-effort.ts';

type Call = Parameters<typeof email.patiently>[0];

interface EmailOptions<Template> {
  /** Calls the activity that sends one of them. */
  send: (activities: Parameters<Call>[0], template: Template, occurrence: number) => Promise<void>;
  /** Records one that could not be sent. */
  onExhausted: (sent: EmailRef, error: ErrorDetails) => Promise<void>;
  /** Whether there are first tries; otherwise each email is a normal activity at once. */
  isPrompt: boolean;
}

/**
 * The emails of one order or signup. Their first tries are made when the story is about to wait, one after another, and the
 * story waits for them: a replay may resolve local activities in another order than the run did, so nothing may depend on which
 * of two ends first.
 */
export class Emails<Template extends string> {
  readonly #options: EmailOptions<Template>;
  readonly #messages: BestEffortMessages<EmailRef>;
  #waiting: { sent: EmailRef; call: Call }[] = [];
  /** Those that were asked for, waiting or not. */
  readonly #known = new Set<string>();

  constructor(options: EmailOptions<Template>) {
    this.#options = options;
    this.#messages = new BestEffortMessages(options.onExhausted);
  }

  /** Sends an email without waiting for it, unless it was asked for before. @param occurrence counts from 1, for emails that are sent more than once */
  send(template: Template, occurrence = 1): void {
    const name = `${template}:${occurrence}`;
    if (this.#known.has(name)) return;
    this.#known.add(name);
    const call: Call = (activities) => this.#options.send(activities, template, occurrence);
    this.#waiting.push({ sent: { template, occurrence }, call });
    if (!this.#options.isPrompt) this.sendPatiently();
  }

  /** Makes the first tries, if there are any. An email whose first try fails is retried without being waited for. */
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
