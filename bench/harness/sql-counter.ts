import { connect, createServer, type Socket } from 'node:net';
import { listenLocally } from '../../src/sandbox/ports.ts';

/** One transaction as it passed on the wire. */
export interface SeenTransaction {
  /** `application_name` of its connection. */
  application: string;
  /** The text of each statement executed, `begin` and `commit` included. */
  statements: string[];
}

export interface SqlCounter {
  /** @returns a URL that leads to the same database through the counter */
  through: (url: string) => string;
  /** @returns the transactions that have ended since the last call */
  take: () => SeenTransaction[];
  /** Resolves once nothing has passed for `ms`. */
  silence: (ms: number) => Promise<void>;
  close: () => Promise<void>;
}

/**
 * Stands between a side and Postgres, and counts what passes. It reads the protocol, so the counts are exact and need no
 * setting of the server: a statement counts each time it is executed, whether it is prepared or not. Statements outside a
 * transaction block that are sent together are one transaction, as in Postgres.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export async function startSqlCounter(serverUrl: string): Promise<SqlCounter> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let seen: SeenTransaction[] = [];
  let lastPassed = performance.now();

  const pass = (from: Socket, to: Socket, read: (piece: Buffer) => void) => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (piece: Buffer) => {
      lastPassed = performance.now();
      read(piece);
      to.write(piece);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroySoon();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const session = new Session((transaction) => seen.push(transaction));
    pass(client, upstream, (piece) => session.fromClient(piece));
    pass(upstream, client, (piece) => session.fromServer(piece));
  });
  const port = await listenLocally(server, 0);

  return {
    through(url) {
      const changed = new URL(url);
      changed.host = `127.0.0.1:${port}`;
      return changed.href;
    },
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
    async silence(ms) {
      for (;;) {
        const left = lastPassed + ms - performance.now();
        if (left <= 0) return;
        await new Promise((resolve) => setTimeout(resolve, left));
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Protocol messages are a type of one byte, a length that counts itself, and the body. */
const HEADER = 5;
/** Codes in place of a protocol version, from 1234.5678 on: requests that are not the start of a session. */
const SPECIAL_REQUEST = 80_877_100;

/** Follows one connection. */
class Session {
  readonly #report: (transaction: SeenTransaction) => void;
  readonly #client = new Messages();
  readonly #server = new Messages();
  readonly #texts = new Map<string, string>();
  readonly #portals = new Map<string, string>();
  #application: string | undefined;
  #isInBlock = false;
  #statements: string[] = [];

  constructor(report: (transaction: SeenTransaction) => void) {
    this.#report = report;
  }

  fromClient(piece: Buffer): void {
    this.#client.add(piece);
    if (this.#application === undefined) {
      const start = this.#client.takeUntyped();
      if (!start) return;
      if (start.readUInt32BE(0) >= SPECIAL_REQUEST) throw new Error('The counter speaks only plain sessions, without TLS.');
      const parameters = start.subarray(4).toString().split('\0');
      this.#application = parameters[parameters.indexOf('application_name') + 1] ?? '';
    }
    for (const { type, body } of this.#client.take()) {
      const [first = '', second = ''] = texts(body, 2);
      if (type === 'P') this.#texts.set(first, second);
      if (type === 'B') this.#portals.set(first, this.#texts.get(second) ?? '');
      if (type === 'E') this.#statements.push(this.#portals.get(first) ?? '');
      if (type === 'Q') this.#statements.push(first);
    }
  }

  fromServer(piece: Buffer): void {
    this.#server.add(piece);
    for (const { type, body } of this.#server.take()) {
      // ReadyForQuery says whether a transaction block is open.
      if (type !== 'Z') continue;
      this.#isInBlock = body.toString() !== 'I';
      if (this.#isInBlock || this.#statements.length === 0) continue;
      this.#report({ application: this.#application ?? '', statements: this.#statements });
      this.#statements = [];
    }
  }
}

/** Cuts a stream of bytes into messages. */
class Messages {
  #bytes: Buffer = Buffer.alloc(0);

  add(piece: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
  }

  /** @returns the messages that are complete */
  *take(): Generator<{ type: string; body: Buffer }> {
    for (;;) {
      const length = this.#bytes.length < HEADER ? Infinity : 1 + this.#bytes.readUInt32BE(1);
      if (this.#bytes.length < length) return;
      const message = this.#bytes.subarray(0, length);
      this.#bytes = this.#bytes.subarray(length);
      yield { type: String.fromCodePoint(message[0] ?? 0), body: message.subarray(HEADER) };
    }
  }

  /** @returns the body of the first message of a session, which has no type */
  takeUntyped(): Buffer | undefined {
    const length = this.#bytes.length < 4 ? Infinity : this.#bytes.readUInt32BE(0);
    if (this.#bytes.length < length) return undefined;
    const message = this.#bytes.subarray(4, length);
    this.#bytes = this.#bytes.subarray(length);
    return message;
  }
}

/** @returns the first texts of a body, each of which ends with a zero */
function texts(body: Buffer, count: number): string[] {
  const found: string[] = [];
  for (let from = 0; found.length < count && from < body.length; ) {
    const end = body.indexOf(0, from);
    if (end < 0) break;
    found.push(body.toString('utf8', from, end));
    from = end + 1;
  }
  return found;
}
