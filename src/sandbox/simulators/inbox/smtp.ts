import { once } from 'node:events';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { callbackify } from 'node:util';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerError, type SMTPServerSession } from 'smtp-server';
import type { FaultPanel } from '../faults.ts';

const maxBytes = 25 * 1024 * 1024;

/** An SMTP reply that refuses; `code` says for now (4xx) or for good (5xx). */
function refusal(code: number, message: string): SMTPServerError {
  return Object.assign(new Error(message), { responseCode: code });
}

/**
 * Serves SMTP on 127.0.0.1 without authentication, and hands each mail to `store`. Recipients called `bounce` do not exist.
 * A fault acts on a connection (`down`) or on a mail (the others). Port 0 means any free port.
 * @throws the listen error (`EADDRINUSE`, …)
 */
export async function serveSmtp(
  port: number,
  panel: FaultPanel,
  store: (mail: ParsedMail, recipients: string[]) => void,
): Promise<{ url: string; close: () => Promise<void> }> {
  const closing = new AbortController();
  const sockets = new Map<number, Socket>();
  const drop = (session: SMTPServerSession): void => void sockets.get(session.remotePort)?.destroy();

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const bytes = await buffer(stream);
    const fault = panel.take('DATA');
    if (fault?.mode === 'down') return drop(session);
    if (fault?.mode === 'error_before') throw refusal(451, 'Simulated failure before the message was stored');
    if (fault?.mode === 'rate_limit') throw refusal(450, 'Simulated rate limit');
    if (fault?.mode === 'slow') await sleep(fault.delayMs, undefined, { signal: closing.signal });
    if (stream.sizeExceeded) throw refusal(552, 'Message too large');
    store(
      await simpleParser(bytes),
      session.envelope.rcptTo.map(({ address }) => address),
    );
    if (fault?.mode === 'drop_after_commit') drop(session);
    if (fault?.mode === 'error_after_commit') throw refusal(451, 'Simulated failure after the message was stored');
  }

  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: maxBytes,
    onConnect: (_session, callback) => callback(panel.take('CONNECT', ['down']) ? refusal(421, 'Simulated outage') : null),
    onRcptTo: ({ address }, _session, callback) =>
      callback(/^bounce@/i.test(address) ? refusal(550, '5.1.1 No such mailbox') : null),
    onData: callbackify(receive),
  });
  server.on('error', () => undefined); // a client that went away; it is not ours to report
  server.server.on('connection', (socket: Socket) => {
    const remotePort = socket.remotePort ?? 0;
    sockets.set(remotePort, socket);
    socket.once('close', () => sockets.delete(remotePort));
  });
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  const bound = server.server.address();
  if (bound === null || typeof bound === 'string') throw new Error('The server has no TCP address.');
  return {
    url: `smtp://127.0.0.1:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        server.close(() => resolve());
        for (const socket of sockets.values()) socket.destroy();
      }),
  };
}
