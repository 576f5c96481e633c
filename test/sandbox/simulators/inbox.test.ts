import { createTransport } from 'nodemailer';
import { describe, expect, test } from 'vitest';
import { startInbox } from '../../../src/sandbox/simulators/inbox.ts';
import { statusAs } from '../../support/host-header.ts';
import { closing, errorOf, temporaryFile } from './support.ts';

const mail = {
  from: '"Shop" <shop@example.com>',
  to: 'ada@example.com',
  subject: 'Your order',
  text: 'Thank you',
  html: '<p>Thank <b>you</b></p><script>alert(1)</script>',
  messageId: '<order-1@example.com>',
};

async function start(file = temporaryFile()) {
  const inbox = closing(await startInbox({ smtpPort: 0, httpPort: 0, file }));
  return { inbox, file, send: (change: Partial<typeof mail> = {}) => createTransport(inbox.smtpUrl).sendMail({ ...mail, ...change }) };
}

describe('mails', () => {
  test('are stored as sent, listed newest first, and found by recipient and subject', async () => {
    const { inbox } = await start();
    const transport = createTransport(inbox.smtpUrl);
    await transport.sendMail({ ...mail, attachments: [{ filename: 'invoice.pdf', content: 'PDF', contentType: 'application/pdf' }] });
    await transport.sendMail({ ...mail, to: 'bob@example.com', subject: 'Welcome', messageId: '<2@example.com>' });
    expect(await (await fetch(`${inbox.url}/api/messages`)).json()).toEqual({ messages: inbox.messages() });
    expect(inbox.messages()).toMatchObject([
      { subject: 'Welcome', to: ['bob@example.com'], attachments: [] },
      {
        messageId: '<order-1@example.com>',
        from: '"Shop" <shop@example.com>',
        to: ['ada@example.com'],
        text: expect.stringContaining('Thank you'),
        html: expect.stringContaining('<b>you</b>'),
        attachments: [{ filename: 'invoice.pdf', contentType: 'application/pdf', size: 3 }],
        copies: 1,
      },
    ]);
    expect(inbox.messages({ to: 'ADA@' })).toHaveLength(1);
    expect(inbox.messages({ subject: 'welc' })).toHaveLength(1);
    expect(await (await fetch(`${inbox.url}/api/messages?to=bob&subject=order`)).json()).toEqual({ messages: [] });
  });

  test('with the same Message-ID are stored once and counted', async () => {
    const { inbox, send } = await start();
    await send();
    await send();
    await send({ messageId: '<other@example.com>' });
    expect(inbox.messages().map(({ messageId, copies }) => [messageId, copies])).toEqual([
      ['<other@example.com>', 1],
      ['<order-1@example.com>', 2],
    ]);
  });

  test('survive a restart until they are deleted', async () => {
    const { inbox, file, send } = await start();
    await send();
    await send();
    await inbox.close();
    const again = await start(file);
    expect(again.inbox.messages()).toMatchObject([{ subject: 'Your order', copies: 2 }]);
    await fetch(`${again.inbox.url}/api/messages`, { method: 'DELETE' });
    await again.inbox.close();
    expect((await start(file)).inbox.messages()).toEqual([]);
  });

  test('to a mailbox that does not exist are refused permanently', async () => {
    const { inbox, send } = await start();
    expect(await errorOf(send({ to: 'bounce@example.com' }))).toMatchObject({ responseCode: 550 });
    expect(inbox.messages()).toEqual([]);
  });
});

test('the pages show a mail without running its scripts', async () => {
  const { inbox, send } = await start();
  await send({ subject: '<script>alert(1)</script>' });
  const list = await (await fetch(`${inbox.url}/?to=ada`)).text();
  expect(list).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(await (await fetch(`${inbox.url}/?to=nobody`)).text()).not.toContain('alert(1)');
  const [message] = inbox.messages();
  const page = await (await fetch(`${inbox.url}/messages/${message?.id}`)).text();
  expect(page).toContain('<iframe sandbox="allow-popups');
  expect(page).toContain('Thank you');
  const body = await fetch(`${inbox.url}/messages/${message?.id}/html`);
  expect(body.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(body.headers.get('content-security-policy')).not.toContain('allow-scripts');
});

describe('faults', () => {
  test.each([
    ['down', { responseCode: 421 }, 0],
    ['error_before', { responseCode: 451 }, 0],
    ['rate_limit', { responseCode: 450 }, 0],
    ['drop_after_commit', { code: 'ECONNECTION' }, 1],
    ['error_after_commit', { responseCode: 451 }, 1],
  ] as const)('%s: after a retry, there is one mail', async (mode, error, stored) => {
    const { inbox, send } = await start();
    inbox.faults.set({ mode, count: 1 });
    expect(await errorOf(send())).toMatchObject(error);
    expect(inbox.messages()).toHaveLength(stored);
    await send();
    expect(inbox.messages()).toMatchObject([{ copies: stored + 1 }]);
  });

  test('slow: the mail is stored after the delay', async () => {
    const { inbox, send } = await start();
    inbox.faults.set({ mode: 'slow', delayMs: 5 });
    await send();
    expect(inbox.messages()).toHaveLength(1);
  });

  test('closing does not wait for a slow mail, and the mail is not stored', async () => {
    const { inbox, send } = await start();
    inbox.faults.set({ mode: 'slow', delayMs: 600_000, count: 1 });
    const error = errorOf(send());
    await expect.poll(() => inbox.faults.current).toBeNull();
    await inbox.close();
    expect(await error).toBeInstanceOf(Error);
    expect(inbox.messages()).toEqual([]);
  });
});

test('the inbox answers as localhost and as the names that it is given, and as no other', async () => {
  const inbox = closing(await startInbox({ smtpPort: 0, httpPort: 0, file: temporaryFile(), allowedHosts: ['mail.test'] }));
  const url = `${inbox.url}/api/messages`;
  for (const host of ['localhost:1080', 'mail.test', '127.0.0.1']) expect(await statusAs(host, url)).toBe(200);
  expect(await statusAs('evil.example', url)).toBe(421);
});
