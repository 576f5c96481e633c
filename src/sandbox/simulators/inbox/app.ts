import { Hono } from 'hono';
import { html } from 'hono/html';
import type { FaultPanel } from '../faults.ts';
import type { SimulatorEnv } from '../http.ts';
import { layout } from '../layout.ts';
import { faultControls, currentFault } from '../panel.ts';
import type { Message, Messages } from './messages.ts';

/** The inbox's web page and JSON API. `clear` deletes all mails. */
export function createInboxApp(messages: Messages, panel: FaultPanel, clear: () => void): Hono<SimulatorEnv> {
  const app = new Hono<SimulatorEnv>();
  app.get('/api/messages', (c) => c.json({ messages: messages.list({ to: c.req.query('to'), subject: c.req.query('subject') }) }));
  app.delete('/api/messages', (c) => {
    clear();
    return c.json({ messages: [] });
  });
  app.get('/', (c) => c.html(listPage(messages, panel, c.req.query('to') ?? '')));
  app.get('/messages/:id', (c) => {
    const message = messages.find(c.req.param('id'));
    return message ? c.html(messagePage(message)) : c.notFound();
  });
  app.get('/messages/:id/html', (c) => {
    const message = messages.find(c.req.param('id'));
    if (!message?.html) return c.notFound();
    // Mail content is untrusted. Even when opened directly, it may only show itself and open links.
    c.header('Content-Security-Policy', "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:");
    return c.html(`<base target="_blank">${message.html}`);
  });
  return app;
}

function listPage(messages: Messages, panel: FaultPanel, to: string) {
  return layout(
    'Inbox',
    html`<p>All mails sent to this SMTP server, newest first. None of them leaves this machine.</p>
      <form><label>recipient <input name="to" type="search" value="${to}" /></label><button>search</button></form>
      <section id="live">
        ${currentFault(panel)}
        <table>
          <tr><th>received</th><th>to</th><th>subject</th><th>copies</th></tr>
          ${messages
            .list({ to })
            .slice(0, 200)
            .map(
              (message) =>
                html`<tr><td>${message.receivedAt}</td><td>${message.to.join(', ')}</td><td><a href="/messages/${message.id}">${message.subject || '(no subject)'}</a></td><td>${message.copies}</td></tr>`,
            )}
        </table>
      </section>
      <h2>Faults</h2>
      ${faultControls(panel)}`,
  );
}

function messagePage(message: Message) {
  return layout(
    message.subject || '(no subject)',
    html`<p><a href="/">all mails</a></p>
      <table>
        <tr><th>from</th><td>${message.from}</td></tr>
        <tr><th>to</th><td>${message.to.join(', ')}</td></tr>
        <tr><th>received</th><td>${message.receivedAt}</td></tr>
        <tr><th>Message-ID</th><td>${message.messageId} (${message.copies} received)</td></tr>
        ${message.attachments.map(({ filename, contentType, size }) => html`<tr><th>attached</th><td>${filename ?? '(no name)'}, ${contentType}, ${size} bytes</td></tr>`)}
      </table>
      ${message.html ? html`<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" src="/messages/${message.id}/html" title="HTML"></iframe>` : ''}
      <h2>Text</h2>
      <pre>${message.text}</pre>`,
  );
}
