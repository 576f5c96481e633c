import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Hono, type Context } from 'hono';
import { csrf } from 'hono/csrf';
import { html } from 'hono/html';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import type { Api } from '../../api/environment.ts';
import { orderWorkflowId, shortNumber, signupWorkflowId } from '../../contracts/ids.ts';
import { isLoopback } from '../../hosts.ts';
import { ApiProblem } from '../call-api.ts';
import { createBackend, type Backend } from './backend.ts';
import { pathOf, type Shown } from './layout.tsx';
import { ADDRESSES, CARDS, type OrderDraft } from './order.tsx';
import { ClosedPage, ShopPage } from './page.tsx';
import { FAULT_CHOICES, SERVICES, type FaultChoice } from './services.ts';
import type { ShopSettings } from './settings.ts';
import type { SignupDraft } from './signup.tsx';

/** Only our own origin, and nothing inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const ASSETS = { 'shop.css': 'text/css; charset=utf-8', 'shop.js': 'text/javascript; charset=utf-8' };

const id = z.uuid().optional().catch(undefined);
const shownSchema = z.object({ order: id, signup: id });
const isFaultChoice = (text: string): text is FaultChoice => Object.hasOwn(FAULT_CHOICES, text);
const faultSchema = z.object({ service: z.enum(SERVICES), choice: z.string().refine(isFaultChoice) });
const field = z.string().default('');
const orderDraftSchema = z.object({ key: field, sku: field, quantity: field, card: field, address: field, name: field, email: field });
const signupDraftSchema = z.object({ key: field, name: field, email: field });
const tokenSchema = z.object({ token: field });

type Drafts = { order?: OrderDraft; signup?: SignupDraft; refusal?: string };

/**
 * Adds the shop window to the API of the embedded stack: the page at `/`, and what its forms and its script ask for below `/shop`.
 * @throws Error in production, where visitors would order with the shop's key
 */
export function mountShopWindow(api: Api, settings: ShopSettings): void {
  if (process.env['NODE_ENV'] === 'production') throw new Error('There is no shop window with NODE_ENV=production.');
  const backend = createBackend(settings);
  const links = linksOf(settings);
  const { approvalThreshold } = settings;
  const app = new Hono();
  for (const path of ['/', '/shop/*']) {
    app.use(path, async (c, next) => {
      // Through a proxy or a tunnel, others would order with the shop's key.
      if (!isLoopback(new URL(c.req.url).host)) return c.notFound();
      await next();
      c.header('Content-Security-Policy', POLICY);
      // With `no-referrer`, browsers send forms without their origin, and we would refuse them.
      c.header('Referrer-Policy', 'same-origin');
    });
  }
  app.use('/shop/*', csrf());
  serveAssets(app);

  const show = async (c: Context, shown: Shown, { refusal, ...drafts }: Drafts = {}, status: 200 | 422 = 200) => {
    const seen = await look(backend, shown);
    const page = (
      <ShopPage
        {...seen}
        approvalThreshold={approvalThreshold}
        shown={shown}
        links={links}
        drafts={{ ...freshDrafts(), ...drafts }}
        refusal={refusal}
      />
    );
    return c.html(html`<!doctype html>${page}`, status);
  };
  /** Shows the page, or what the form was refused for. */
  const send = async (c: Context, shown: Shown, part: string, act: () => Promise<Partial<Shown> | void>, drafts: Drafts = {}) => {
    try {
      const changes = await act();
      return c.redirect(`${pathOf({ ...shown, ...changes })}${part}`, 303);
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status >= 500) throw error;
      return await show(c, shown, { ...drafts, refusal: error.message }, 422);
    }
  };

  app.get('/', (c) => show(c, shownSchema.parse(c.req.query())));

  app.post('/shop/orders', async (c) => {
    const form = await c.req.parseBody();
    const order = orderDraftSchema.parse(form);
    const place = async () => ({ order: (await backend.placeOrder(orderOf(order), order.key)).id });
    return send(c, shownSchema.parse(form), '#order', place, { order });
  });

  app.get('/shop/orders/:id/events', async (c) => {
    const { status, body } = await backend.followOrder(c.req.param('id'), c.req.header('Last-Event-ID'));
    // When the browser leaves, the body is cancelled, and with it the stream of the API.
    return new Response(body, { status, headers: { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' } });
  });

  app.post('/shop/orders/:id/cancellation', async (c) =>
    send(c, shownSchema.parse(await c.req.parseBody()), '#order', async () => {
      await backend.cancelOrder(c.req.param('id'));
    }),
  );

  app.post('/shop/signups', async (c) => {
    const form = await c.req.parseBody();
    const signup = signupDraftSchema.parse(form);
    const { key, ...person } = signup;
    return send(c, shownSchema.parse(form), '#signup', async () => ({ signup: (await backend.signUp(person, key)).id }), { signup });
  });

  app.post('/shop/signups/:id/verification', async (c) => {
    const form = await c.req.parseBody();
    return send(c, shownSchema.parse(form), '#signup', async () => {
      await backend.verify(c.req.param('id'), tokenSchema.parse(form).token.trim());
    });
  });

  app.post('/shop/signups/:id/subscription', async (c) =>
    send(c, shownSchema.parse(await c.req.parseBody()), '#signup', async () => {
      await backend.subscribe(c.req.param('id'));
    }),
  );

  app.post('/shop/services/:service/fault', async (c) => {
    const form = await c.req.parseBody();
    const { data: wanted } = faultSchema.safeParse({ ...form, service: c.req.param('service') });
    if (!wanted) return c.text('That is not a form of this page.', 400);
    return send(c, shownSchema.parse(form), '#break', () => backend.breakService(wanted.service, wanted.choice));
  });

  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    if (error instanceof ApiProblem) return c.html(html`<!doctype html>${(<ClosedPage reason={error.message} />)}`, 503);
    // What is unexpected is logged by the API.
    throw error;
  });
  api.route('/', app);
}

function serveAssets(app: Hono): void {
  for (const [file, type] of Object.entries(ASSETS)) {
    const content = Uint8Array.from(readFileSync(new URL(`./assets/${file}`, import.meta.url)));
    app.get(`/shop/assets/${file}`, (c) => c.body(content, 200, { 'Content-Type': type, 'Cache-Control': 'no-cache' }));
  }
}

/** Reads what the page shows. */
async function look(backend: Backend, shown: Shown) {
  const [products, recent, order, signup, services] = await Promise.all([
    backend.products(),
    backend.recentOrders(),
    shown.order ? backend.order(shown.order) : undefined,
    shown.signup ? backend.signup(shown.signup) : undefined,
    backend.services(),
  ]);
  return {
    products,
    recent,
    order: order && {
      ...order,
      runUrl: backend.runUrl(orderWorkflowId(order.order.id)),
      mails: await backend.mails(({ subject, text }) => `${subject} ${text}`.includes(shortNumber(order.order.id))),
    },
    signup: signup && {
      signup,
      runUrl: backend.runUrl(signupWorkflowId(signup.id)),
      mails: await backend.mails(({ to }) => to.includes(signup.email)),
    },
    services,
  };
}

function linksOf({ inboxUrl, temporalUiUrl }: ShopSettings): { label: string; url: string }[] {
  return [
    { label: 'Operator’s page', url: '/ops' },
    ...(temporalUiUrl === null ? [] : [{ label: 'Temporal', url: temporalUiUrl }]),
    ...(inboxUrl === null ? [] : [{ label: 'Inbox', url: inboxUrl }]),
    { label: 'API reference', url: '/docs' },
  ];
}

/** Another address each time: after many declined cards, a person reviews the orders of their customer. */
const freshPerson = (name: string) => ({ key: randomUUID(), name: 'Ada Lovelace', email: `${name}-${randomUUID().slice(0, 8)}@example.com` });

/** @returns what the forms hold at first */
function freshDrafts() {
  const [card = ''] = Object.keys(CARDS);
  const [address = ''] = Object.keys(ADDRESSES);
  return { order: { sku: 'TEA-EARL-GREY', quantity: '1', card, address, ...freshPerson('customer') }, signup: freshPerson('reader') };
}

function orderOf({ sku, quantity, card, address, name, email }: OrderDraft): object {
  const postalCode = ADDRESSES[address]?.postalCode ?? '';
  return {
    customer: { email, name },
    shippingAddress: { line1: '12 St James Square', city: 'London', postalCode, country: 'GB' },
    items: [{ sku, quantity: Number(quantity) }],
    payment: { method: card },
  };
}
