/** The codes and names that Node.js, undici and nodemailer give to what happens to a connection, and the field's words for them. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'connection refused'],
  [/^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET|ECONNECTION)$/, 'connection reset'],
  [/^(ENOTFOUND|EAI_\w+|EDNS)$/, 'host not found'],
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL)$/, 'host unreachable'],
  [/^(ETIMEDOUT|ESOCKETTIMEDOUT|TimeoutError|UND_ERR_\w+_TIMEOUT)$/, 'timed out'],
  [/CERT|SIGNATURE|^(ERR_TLS_|ERR_SSL_|ETLS|EPROTO$)/, 'TLS failed'],
  [/^(HPE_\w+|SyntaxError|UND_ERR_RES\w*|EPROTOCOL)$/, 'unreadable answer'],
  [/^(EAUTH|ENOAUTH|EOAUTH2)$/, 'login refused'],
];

const LONGEST_CHAIN = 5;

/** @returns what happened to the connection, e.g. `connection refused`; undefined if the error says nothing about it */
export function connectionTrouble(error: unknown): string | undefined {
  const [found] = signsOf(error, LONGEST_CHAIN).flatMap((sign) => WORDS.find(([pattern]) => pattern.test(sign))?.[1] ?? []);
  return found;
}

/** @returns why a client had no answer, without anything from the request */
export const whyNoAnswer = (error: unknown): string => connectionTrouble(error) ?? 'no connection';

/** The codes of an error and of those inside it, the most exact first: clients wrap what the system says. */
function signsOf(error: unknown, depth: number): string[] {
  if (!(error instanceof Error) || depth === 0) return [];
  const inside = ['cause', 'detail'].flatMap((name) => signsOf(Reflect.get(error, name), depth - 1));
  const tried = error instanceof AggregateError ? error.errors.flatMap((one) => signsOf(one, depth - 1)) : [];
  const own = ['originalCode', 'code', 'name'].flatMap((name) => {
    const sign: unknown = Reflect.get(error, name);
    return typeof sign === 'string' ? [sign] : [];
  });
  return [...tried, ...inside, ...own];
}
