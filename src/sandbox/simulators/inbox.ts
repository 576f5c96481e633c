import { FaultPanel } from './faults.ts';
import { refuseInProduction, serveOnLoopback } from './http.ts';
import { createInboxApp } from './inbox/app.ts';
import { inboxEntrySchema, Messages, type Message, type MessageFilter } from './inbox/messages.ts';
import { serveSmtp } from './inbox/smtp.ts';
import { Ledger } from './ledger.ts';
import { mountControls } from './panel.ts';

/** A running inbox. `smtpUrl` is where to send, `url` its web page; `close` is prompt. */
export type Inbox = {
  smtpUrl: string;
  url: string;
  faults: FaultPanel;
  /** The stored mails that match, newest first. */
  messages: (filter?: MessageFilter) => Message[];
  close: () => Promise<void>;
};

/**
 * Starts an SMTP server with a web page, both on 127.0.0.1, mails kept in `file`. Port 0 means any free port.
 * @throws Error in production, or when a port is taken or the file unreadable.
 */
export async function startInbox(options: { smtpPort: number; httpPort: number; file: string }): Promise<Inbox> {
  refuseInProduction();
  const messages = new Messages();
  const ledger = new Ledger(options.file, inboxEntrySchema, (entry) => messages.apply(entry));
  const faults = new FaultPanel();
  const app = createInboxApp(messages, faults, () => ledger.append({ type: 'messages.cleared' }));
  mountControls(app, { panel: faults, entries: () => ledger.entries });
  const smtp = await serveSmtp(options.smtpPort, faults, (mail, recipients) => ledger.append(messages.arrival(mail, recipients)));
  const server = await serveOnLoopback(app, options.httpPort).catch(async (error: unknown) => {
    await smtp.close();
    throw error;
  });
  return {
    smtpUrl: smtp.url,
    url: server.url,
    faults,
    messages: (filter) => messages.list(filter),
    close: async () => {
      await Promise.all([smtp.close(), server.close()]);
    },
  };
}
