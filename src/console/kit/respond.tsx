import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { z } from 'zod';
import { id } from '../../contracts/fields.ts';
import { notFound } from '../../contracts/request-error.ts';
import { countOpenFailures } from '../../queries/failures.ts';
import type { PageContext, PageDependencies } from '../environment.ts';
import { Layout, type Flash, type Page } from './layout.tsx';

const FLASH = 'holdfast_flash';
const flashSchema = z.object({ kind: z.enum(['done', 'error']), message: z.string() });

/** Answers with a page. It shows the result of the form before it, once. */
export async function respond(
  c: PageContext,
  { db }: Pick<PageDependencies, 'db'>,
  { status = 200, flash = takeFlash(c), ...page }: Page & { flash?: Flash; status?: 200 | 403 | 404 | 422 },
): Promise<Response> {
  const openFailures = await countOpenFailures(db);
  const document = <Layout {...page} flash={flash} session={c.var.session} openFailures={openFailures} />;
  return c.html(html`<!doctype html>${document}`, status);
}

/** Redirects after a form, so that reloading the page does not send the form again. */
export function redirectWith(c: PageContext, location: string, kind: Flash['kind'], message: string): Response {
  setCookie(c, FLASH, JSON.stringify({ kind, message }), { ...c.var.cookie, maxAge: 60 });
  return c.redirect(location, 303);
}

/** @returns the result of the form before this page, which is then forgotten */
export function takeFlash(c: PageContext): Flash | undefined {
  const text = getCookie(c, FLASH);
  if (text === undefined) return undefined;
  deleteCookie(c, FLASH, c.var.cookie);
  try {
    return flashSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** @returns the id in the path of the request. @throws RequestError `not_found` when it cannot be one */
export function pathId(c: PageContext, what: string): string {
  const { success, data } = id.safeParse(c.req.param('id'));
  if (!success) throw notFound(what);
  return data;
}
