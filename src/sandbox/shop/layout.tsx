import type { Child } from 'hono/jsx';
import { HtmlDocument } from '../../html-document.tsx';

/** The frame of the shop window. */
export const Document = ({ children }: { children: Child }) => (
  <HtmlDocument title="Holdfast Tea · the shop window" icon="/ops/assets/icon.svg" styles="/shop/assets/shop.css" script="/shop/assets/shop.js">
    {children}
  </HtmlDocument>
);

/** A part of the page with its own heading. */
export const Panel = ({ id, title, children }: { id: string; title: string; children: Child }) => (
  <section class="panel" id={id} aria-labelledby={`${id}-title`}>
    <h2 id={`${id}-title`}>{title}</h2>
    {children}
  </section>
);

/** The fields for who orders or signs up. */
export const PersonFields = ({ person: { name, email } }: { person: { name: string; email: string } }) => (
  <div class="row">
    <label>
      Name
      <input name="name" value={name} required maxlength={200} autocomplete="off" />
    </label>
    <label>
      Email
      <input name="email" type="email" value={email} required maxlength={254} autocomplete="off" />
    </label>
  </div>
);

/** A part that the script keeps up to date. */
export const Live = ({ id, status = false, children }: { id: string; status?: boolean; children: Child }) => (
  <div id={id} data-live {...(status ? { role: 'status' } : {})}>
    {children}
  </div>
);

/** What was refused, and why. */
export const Refused = ({ children }: { children: Child }) => (
  <p class="refused" role="alert">
    <span aria-hidden="true">✕</span> {children}
  </p>
);

/** Which order and which signup the page shows. Every form carries it. */
export interface Shown {
  order?: string | undefined;
  signup?: string | undefined;
}

/** @returns the address of the page that shows these */
export function pathOf({ order, signup }: Shown): string {
  const query = new URLSearchParams({ ...(order && { order }), ...(signup && { signup }) }).toString();
  return query === '' ? '/' : `/?${query}`;
}

export const ShownFields = ({ shown }: { shown: Shown }) => (
  <>
    {shown.order ? <input type="hidden" name="order" value={shown.order} /> : null}
    {shown.signup ? <input type="hidden" name="signup" value={shown.signup} /> : null}
  </>
);
