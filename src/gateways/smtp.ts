import { createHash } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { invalidRequest, noAnswer } from './failures.ts';

export interface Mail {
  /** Idempotency key: the same key gives the same `Message-ID`, by which mail systems recognise a copy. */
  key: string;
  to: string;
  subject: string;
  text: string;
  html: string;
}

/** Errors: `invalid_request` when the server will never take it (SMTP 5xx), `email_unavailable` otherwise. */
export interface MailGateway {
  send(mail: Mail): Promise<void>;
  close(): void;
}

/** @param options `url` as `smtp://user:password@host:port`, `from` as `Name <address>`, `timeout` in ms without a word from the server */
export function createMailGateway(options: { url: string; from: string; timeout?: number }): MailGateway {
  const transport = createTransport({
    url: options.url,
    pool: true,
    maxConnections: 5,
    // Temporal retries, where it can be seen. The pool's own six attempts could outlast the activity, and go on behind it.
    maxRequeues: 0,
    connectionTimeout: 5_000,
    greetingTimeout: 5_000,
    socketTimeout: options.timeout ?? 15_000,
  });
  const domain = /@([^>\s]+)/.exec(options.from)?.[1] ?? 'localhost';

  return {
    async send({ key, ...mail }) {
      const messageId = `<${createHash('sha256').update(key).digest('hex').slice(0, 32)}@${domain}>`;
      try {
        await transport.sendMail({ ...mail, from: options.from, messageId });
      } catch (error) {
        throw sortSmtpError(error);
      }
    },
    close: () => transport.close(),
  };
}

/** RFC 5321 4.2.1: 4yz may succeed later, 5yz will not. The server's text is left out: it tends to repeat the address. */
function sortSmtpError(error: unknown): Error {
  const code = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : 0;
  if (code >= 500) return invalidRequest(`The mail server refuses the email (${code}).`);
  return noAnswer('email', `The mail server does not take the email now (${code || 'no connection'}).`);
}
