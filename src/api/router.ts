import type { Result } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';

/** Whether a path has a parameter or a wildcard. */
const VARIES = /[:*]/;

/**
 * Hono's fast router cannot hold `/failures/counts` beside `/failures/:id`, and the one that can searches its tree for each
 * request. This one searches only once for a path that has no parameter, since it finds the same each time.
 */
export class RememberingRouter<Handler> extends TrieRouter<Handler> {
  readonly #fixed = new Set<string>();
  readonly #found = new Map<string, Result<Handler>>();

  override add(method: string, path: string, handler: Handler): void {
    if (!VARIES.test(path)) this.#fixed.add(path);
    super.add(method, path, handler);
  }

  override match(method: string, path: string): Result<Handler> {
    const request = `${method} ${path}`;
    const known = this.#found.get(request);
    if (known) return known;
    const found = super.match(method, path);
    if (this.#fixed.has(path)) this.#found.set(request, found);
    return found;
  }
}
