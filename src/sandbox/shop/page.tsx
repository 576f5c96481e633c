import type { Order, Product, ServiceState } from './backend.ts';
import { Document, Live, Panel, pathOf, Refused, ShownFields, type Shown } from './layout.tsx';
import { FollowedOrder, OrderForm, RecentOrders, type Followed, type OrderDraft } from './order.tsx';
import { describeFault, FAULT_CHOICES, SERVICE_NAMES } from './services.ts';
import { SignupPanel, type FollowedSignup, type SignupDraft } from './signup.tsx';

/** Everything that the shop window shows. */
export interface Seen {
  shown: Shown;
  products: Product[];
  /** Minor units. Orders above it wait for approval. */
  approvalThreshold: number;
  recent: Order[];
  order: Followed | undefined;
  signup: FollowedSignup | undefined;
  services: ServiceState[];
  drafts: { order: OrderDraft; signup: SignupDraft };
  /** Where else to look. */
  links: { label: string; url: string }[];
  /** What was just refused. */
  refusal: string | undefined;
}

export const ShopPage = ({ shown, products, approvalThreshold, recent, order, signup, services, drafts, links, refusal }: Seen) => (
  <Document>
    <header class="top">
      <a class="brand" href="/">
        <img src="/ops/assets/icon.svg" alt="" width="24" height="24" /> Holdfast Tea
      </a>
      <nav aria-label="Elsewhere">
        <ul>
          {links.map(({ label, url }) => (
            <li>
              <a href={url}>{label}</a>
            </li>
          ))}
        </ul>
      </nav>
    </header>
    <main data-page={pathOf(shown)}>
      <div class="intro">
        <h1>Order tea. Then break things.</h1>
        <p>
          Your order is stored in Postgres, driven by a Temporal workflow, and paid and shipped by simulators, all on this machine. Take a
          service down while it is under way, and see that nothing is lost and nothing is done twice.
        </p>
        {refusal === undefined ? null : <Refused>{refusal}</Refused>}
      </div>
      <div class="columns">
        <div class="column">
          <Panel id="place" title="Place an order">
            <OrderForm products={products} approvalThreshold={approvalThreshold} draft={drafts.order} shown={shown} />
          </Panel>
          <SignupPanel draft={drafts.signup} followed={signup} shown={shown} />
        </div>
        <div class="column">
          {order ? <FollowedOrder {...order} shown={shown} /> : null}
          {services.length > 0 ? (
            <Panel id="break" title="Break something">
              {services.map((state) => (
                <ServiceControls state={state} shown={shown} />
              ))}
            </Panel>
          ) : null}
          <RecentOrders orders={recent} shown={shown} />
        </div>
      </div>
      <footer>
        <p class="hint">
          The operator’s page asks for the operator key that <code>npm start</code> has printed. Sign in there to read in Temporal, too: what
          it stores is encrypted.
        </p>
      </footer>
    </main>
  </Document>
);

const ServiceControls = ({ state: { service, url, fault }, shown }: { state: ServiceState; shown: Shown }) => {
  const { text, broken } = describeFault(fault);
  const name = SERVICE_NAMES[service];
  return (
    <div class="service" role="group" aria-label={name}>
      <Live id={`${service}-now`} status>
        <p class={broken ? 'broken' : 'works'}>
          <span aria-hidden="true">{broken ? '✕' : '✓'}</span> <a href={url}>{name}</a> {text}
        </p>
      </Live>
      <form method="post" action={`/shop/services/${service}/fault`} class="buttons" data-quiet>
        <ShownFields shown={shown} />
        {Object.entries(FAULT_CHOICES).map(([choice, { label }]) => (
          <button type="submit" name="choice" value={choice}>
            {label}
          </button>
        ))}
      </form>
    </div>
  );
};

/** Shown while the API cannot do its work. */
export const ClosedPage = ({ reason }: { reason: string }) => (
  <Document>
    <main class="closed">
      <h1>The shop is closed for a moment</h1>
      <p>{reason}</p>
      <p>
        <a href="/">Try again</a>
      </p>
    </main>
  </Document>
);
