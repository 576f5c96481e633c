import { createHash } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { whyNoAnswer } from '../contracts/connection-errors.ts';
import { invalidRequest, noAnswer, notTried } from './errors.ts';
import { createSlots } from './slots.ts';

export interface Mail {
  /** Idempotency key. The same key gives the same `Message-ID`, so that mail systems recognise copies. */
  key: string;
  to: string;
  subject: string;
  text: string;
  html: string;
}

/** Errors: `invalid_request` if the server will never accept the mail (SMTP 5xx), else `email_unavailable`. */
export interface MailGateway {
  /**
   * @param options `signal`: aborted when nobody waits any more; an email still in line is then not sent. `isFirstTry`: fails
   * with `email_busy` instead of waiting long in line
   */
  send(mail: Mail, options?: { signal?: AbortSignal; isFirstTry?: boolean }): Promise<void>;
  close(): void;
}

/** To the mail server, at once. The pool's own line cannot be left. */
const CONNECTIONS = 5;

/** ms. A first try occupies one of the slots that payments need, too. While mail is slow, it must not wait in line for long. */
const FIRST_TRY_WAITS = 500;

/** @param options `url` as `smtp://user:password@host:port`, `from` as `Name <address>`, `timeout` in ms of silence from the server */
export function createMailGateway(options: { url: string; from: string; timeout?: number }): MailGateway {
  const transport = createTransport({
    url: options.url,
    pool: true,
    maxConnections: CONNECTIONS,
    // Temporal retries, visibly. The pool's own six attempts could outlast the activity.
    maxRequeues: 0,
    connectionTimeout: 5_000,
    greetingTimeout: 5_000,
    socketTimeout: options.timeout ?? 15_000,
  });
  const slots = createSlots(CONNECTIONS);
  const domain = /@([^>\s]+)/.exec(options.from)?.[1] ?? 'localhost';

  return {
    async send({ key, ...mail }, { signal, isFirstTry = false } = {}) {
      const giveBack = await slots({ signal, longest: isFirstTry ? FIRST_TRY_WAITS : undefined }).catch(() => {
        const fail = isFirstTry ? notTried : noAnswer;
        throw fail('email', 'The mail server was busy with other emails.');
      });
      const messageId = `<${createHash('sha256').update(key).digest('hex').slice(0, 32)}@${domain}>`;
      try {
        await transport.sendMail({ ...mail, from: options.from, messageId });
      } catch (error) {
        throw sortSmtpError(error);
      } finally {
        giveBack();
      }
    },
    close: () => transport.close(),
  };
}

/** RFC 5321 4.2.1: 4yz may succeed later, 5yz will not. The server's text is left out: it often repeats the address. */
function sortSmtpError(error: unknown): Error {
  const code = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : 0;
  if (code >= 500) return invalidRequest(`The mail server rejected the email (${code}).`);
  return noAnswer('email', `The mail server did not accept the email (${code || whyNoAnswer(error)}).`);
}
