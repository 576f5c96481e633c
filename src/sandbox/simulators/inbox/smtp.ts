import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { callbackify } from 'node:util';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerError, type SMTPServerSession } from 'smtp-server';
import { listenLocally } from '../../ports.ts';
import { underFault, type FaultPanel, type SimulatedError } from '../faults.ts';

const maxBytes = 25 * 1024 * 1024;

/** The SMTP reply of each simulated error. */
const replyCodes: Record<SimulatedError, number> = { server_error: 451, rate_limit: 450 };

/** An SMTP error reply. Codes 4xx mean "try again", 5xx mean "never". */
function refusal(code: number, message: string): SMTPServerError {
  return Object.assign(new Error(message), { responseCode: code });
}

function fail(error: SimulatedError, message: string): never {
  throw refusal(replyCodes[error], message);
}

/**
 * Serves SMTP on 127.0.0.1 without authentication and passes each mail to `store`. Mailboxes named `bounce` do not exist.
 * The fault `down` refuses connections, all others affect single mails. Port 0 means any free port.
 * @param signal ends slow requests when aborted
 * @throws the error of `listen` (`EADDRINUSE`, …)
 */
export async function serveSmtp(
  port: number,
  panel: FaultPanel,
  signal: AbortSignal,
  store: (mail: ParsedMail, recipients: string[]) => void,
): Promise<{ url: string; close: () => Promise<void> }> {
  const sockets = new Map<number, Socket>();

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const bytes = await buffer(stream);
    const fault = panel.take('DATA');
    await panel.apply<void>(fault, {
      fail,
      drop: () => void sockets.get(session.remotePort)?.destroy(),
      serve: async () => {
        if (stream.sizeExceeded) throw refusal(552, 'Message too large');
        const mail = await simpleParser(bytes);
        const recipients = session.envelope.rcptTo.map(({ address }) => address);
        await underFault(fault, signal, () => store(mail, recipients), (_stored, message) => fail('server_error', message));
      },
    });
  }

  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: maxBytes,
    onConnect: (_session, callback) => callback(panel.take('CONNECT', 'down') ? refusal(421, 'Simulated outage') : null),
    onRcptTo: ({ address }, _session, callback) =>
      callback(/^bounce@/i.test(address) ? refusal(550, '5.1.1 No such mailbox') : null),
    onData: callbackify(receive),
  });
  server.on('error', () => undefined); // A client disconnected. That is no error of this server.
  server.server.on('connection', (socket: Socket) => {
    const remotePort = socket.remotePort ?? 0;
    sockets.set(remotePort, socket);
    socket.once('close', () => sockets.delete(remotePort));
  });
  const bound = await listenLocally(server.server, port);
  return {
    url: `smtp://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets.values()) socket.destroy();
      }),
  };
}
