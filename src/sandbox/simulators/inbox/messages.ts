import { randomUUID } from 'node:crypto';
import type { ParsedMail } from 'mailparser';
import { z } from 'zod';

const messageSchema = z.object({
  id: z.string(),
  messageId: z.string(),
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  text: z.string(),
  html: z.string().nullable(),
  attachments: z.array(z.object({ filename: z.string().nullable(), contentType: z.string(), size: z.int() })),
  receivedAt: z.iso.datetime(),
});

/** A stored mail. `to`: recipients from the envelope. `size`: in bytes. `copies`: how often this Message-ID arrived. */
export type Message = z.infer<typeof messageSchema> & { copies: number };

/** An entry of the inbox's ledger. */
export const inboxEntrySchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message.received'), message: messageSchema }),
  z.object({ type: z.literal('message.copied'), messageId: z.string() }),
  z.object({ type: z.literal('messages.cleared') }),
]);

export type InboxEntry = z.infer<typeof inboxEntrySchema>;
/** Selects mails whose recipient and subject contain these texts, ignoring case. */
export type MessageFilter = { to?: string | undefined; subject?: string | undefined };

/** The mails of the inbox, rebuilt from its ledger. Like most mail stores, it keeps one mail per Message-ID. */
export class Messages {
  readonly #byMessageId = new Map<string, Message>();

  apply(entry: InboxEntry): void {
    switch (entry.type) {
      case 'message.received':
        this.#byMessageId.set(entry.message.messageId, { ...entry.message, copies: 1 });
        break;
      case 'message.copied': {
        const message = this.#byMessageId.get(entry.messageId);
        if (message) message.copies += 1;
        break;
      }
      case 'messages.cleared':
        this.#byMessageId.clear();
        break;
    }
  }

  /** Returns the ledger entry that records the arrival of `mail` for `recipients`. */
  arrival(mail: ParsedMail, recipients: string[]): InboxEntry {
    const id = randomUUID();
    const messageId = mail.messageId ?? `<${id}@no-message-id>`;
    if (this.#byMessageId.has(messageId)) return { type: 'message.copied', messageId };
    return {
      type: 'message.received',
      message: {
        id,
        messageId,
        from: mail.from?.text ?? '',
        to: recipients,
        subject: mail.subject ?? '',
        text: mail.text ?? '',
        html: mail.html || null,
        attachments: mail.attachments.map(({ filename, contentType, size }) => ({ filename: filename ?? null, contentType, size })),
        receivedAt: new Date().toISOString(),
      },
    };
  }

  /** The mails that match, newest first. */
  list({ to = '', subject = '' }: MessageFilter = {}): Message[] {
    return [...this.#byMessageId.values()]
      .filter((message) => message.to.some((address) => contains(address, to)) && contains(message.subject, subject))
      .toReversed();
  }

  find(id: string): Message | undefined {
    return this.list().find((message) => message.id === id);
  }
}

const contains = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase());
