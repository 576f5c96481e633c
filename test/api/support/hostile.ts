/** What was found to break servers, or to be stored although it means nothing. */

/** In the place of an id, as they stand in a path. */
export const HOSTILE_IDS = [
  '%00',
  '%0d%0aSet-Cookie:%20injected',
  '%ff%fe',
  '%c0%af',
  '..%2f..%2fv1%2forders',
  "'%20or%201=1--",
  '{id}',
  '0197d0a0-0000-7000-8000-00000000000',
  '0197d0a0-0000-7000-8000-0000000000000',
  '-1',
  '1e999',
  '%F0%9F%92%A9',
  'x'.repeat(4_000),
];

/** In the place of a line of text: what it is, and the text. */
export const HOSTILE_TEXTS: [string, string][] = [
  ['NUL', 'Ada\u0000'],
  ['a line break', 'Ada\r\nBcc: all@example.com'],
  ['an escape sequence of a terminal', '\u001b[31mAda'],
  ['a change of direction', 'Ada \u202etxt.exe'],
  ['an isolate', 'Ada \u2066'],
  ['a line separator', 'Ada\u2028Lovelace'],
  ['half a character', 'Ada \ud800'],
  ['nothing to see', '\u200b\u2060\u3164'],
  ['only spaces', '   '],
  ['nothing', ''],
  ['too much', 'x'.repeat(10_000)],
];

const order = '{"customer":{"email":"ada@example.com","name":"Ada"}';

/** In the place of a body: what it is, and the bytes. */
export const HOSTILE_BODIES: [string, string | Uint8Array<ArrayBuffer>][] = [
  ['nothing', ''],
  ['null', 'null'],
  ['a number', '1e999'],
  ['a list', '[]'],
  ['half of an object', order],
  ['a field that is named twice', '{"email":"ada@example.com","email":"eve@example.com","name":"Ada"}'],
  ['a field of the prototype', '{"__proto__":{"role":"operator"},"constructor":{},"email":"ada@example.com","name":"Ada"}'],
  ['lists within lists', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  ['objects within objects', `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`],
  ['bytes that are not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ['more than is read', `{"name":"${'x'.repeat(600_000)}"}`],
];

/** Names and values that a client can send. */
export const HOSTILE_HEADERS: [string, string][] = [
  ['X-Request-Id', 'injected,injected'],
  ['X-Request-Id', '<script>injected</script>'],
  ['X-Request-Id', 'injected '.repeat(500)],
  ['Prefer', 'wait=1e99; injected'],
  ['Prefer', `wait=${'9'.repeat(400)}`],
  ['Last-Event-ID', "injected'--"],
  ['traceparent', '00-injected'],
  ['X-Forwarded-For', 'injected, 127.0.0.1'],
  ['X-Forwarded-Host', 'injected.example'],
  ['Content-Type', 'application/injected; charset=utf-7'],
  ['Accept', 'text/injected'],
  ['Authorization', 'Bearer injected'],
  ['Authorization', 'Basic aW5qZWN0ZWQ6aW5qZWN0ZWQ='],
];
