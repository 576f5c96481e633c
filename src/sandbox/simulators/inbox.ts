import { createInboxApp } from './inbox/app.ts';
import { inboxEntrySchema, Messages, type InboxEntry, type Message, type MessageFilter } from './inbox/messages.ts';
import { serveSmtp } from './inbox/smtp.ts';
import { startSimulator, type Simulator } from './simulator.ts';

/** A running inbox. Send mail to `smtpUrl`; `url` is its web page. */
export type Inbox = Simulator<InboxEntry> & {
  smtpUrl: string;
  /** The stored mails that match, newest first. */
  messages: (filter?: MessageFilter) => Message[];
};

/**
 * Starts an SMTP server on 127.0.0.1 with a web page that shows its mails, which are kept in `file`.
 * @throws Error as {@link startSimulator} does
 */
export async function startInbox(options: {
  smtpPort: number;
  httpPort: number;
  file: string;
  /** Names that its page answers as, besides `localhost`. */
  allowedHosts?: readonly string[];
}): Promise<Inbox> {
  const messages = new Messages();
  const { simulator, ledger, panel, signal } = await startSimulator({
    port: options.httpPort,
    allowedHosts: options.allowedHosts,
    ledgerFile: options.file,
    entrySchema: inboxEntrySchema,
    apply: (entry) => messages.apply(entry),
    createApp: (shared) => createInboxApp(messages, shared.panel, () => shared.ledger.append({ type: 'messages.cleared' })),
  });
  try {
    const smtp = await serveSmtp(options.smtpPort, panel, signal, (mail, recipients) => ledger.append(messages.arrival(mail, recipients)));
    return {
      ...simulator,
      smtpUrl: smtp.url,
      messages: (filter) => messages.list(filter),
      close: async () => {
        await Promise.all([simulator.close(), smtp.close()]);
      },
    };
  } catch (error) {
    await simulator.close();
    throw error;
  }
}
