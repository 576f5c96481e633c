import { createHmac, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto';

/** Keys for other purposes are derived under another name, so none of them tells anything about the others. */
const PURPOSE = 'holdfast order link 1';

/** The keys that the links are derived from: those of the payloads, see `temporal/payloads/keys.ts`. */
interface SourceKeys {
  current: { key: KeyObject } | undefined;
  byId: ReadonlyMap<string, KeyObject>;
}

/**
 * The links in customers' emails: whoever has one may see what becomes of the order, and cancel it. Each is signed for one order.
 * The current key signs. While keys are rotated, links that were signed by the earlier ones stay valid.
 */
export class OrderLinks {
  readonly #base: string;
  readonly #current: Buffer | undefined;
  readonly #all: Buffer[];

  /** @param publicUrl base of the links, without a slash at its end */
  constructor(publicUrl: string, { current, byId }: SourceKeys) {
    this.#base = publicUrl;
    this.#current = current && derive(current.key);
    this.#all = [...byId.values()].map(derive);
  }

  /** @returns the link to an order's page; undefined when there is no key to sign it with */
  to(orderId: string): string | undefined {
    return this.#current && `${this.#base}${orderPath(orderId, sign(this.#current, orderId))}`;
  }

  /** @returns whether a signature was made for this order. Takes as long for a wrong one, wherever it differs */
  isSigned(orderId: string, signature: string): boolean {
    const given = Buffer.from(signature);
    return this.#all.some((key) => {
      const expected = Buffer.from(sign(key, orderId));
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
  }
}

/** @returns where the page of an order is */
export const orderPath = (orderId: string, signature: string): string => `/my/orders/${orderId}/${signature}`;

/** @returns where the page is that verifies the address of a signup */
export const verificationPath = (signupId: string, token: string): string => `/my/signups/${signupId}/${token}`;

const derive = (key: KeyObject): Buffer => Buffer.from(hkdfSync('sha256', key, '', PURPOSE, 32));

const sign = (key: Buffer, orderId: string): string => createHmac('sha256', key).update(orderId).digest('base64url');
