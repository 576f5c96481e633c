import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { failures } from '../../db/schema.ts';
import { IntakeError, notFound } from '../../intake/errors.ts';
import { actorOf } from '../../intake/caller.ts';
import type { Instruction } from '../../intake/failure-actions.ts';
import type { PageDependencies, PageEnv } from './environment.ts';
import { Layout, type Flash, type Section } from './layout.tsx';

type PageContext = Context<PageEnv>;

const FLASH = 'holdfast_flash';
const flashSchema = z.object({ kind: z.enum(['done', 'error']), message: z.string() });

/** Answers with a page, and says on it what the form before it has done. */
export async function respond(
  c: PageContext,
  { db }: Pick<PageDependencies, 'db'>,
  page: { title: string; section: Section; live?: string; flash?: Flash | undefined; status?: 200 | 404 | 409 | 422; children: Child },
): Promise<Response> {
  const openFailures = await db.$count(failures, eq(failures.status, 'open'));
  const { status = 200, flash = takeFlash(c), ...frame } = page;
  const document = <Layout {...frame} flash={flash} session={c.var.session} openFailures={openFailures} />;
  return c.html(html`<!doctype html>${document}`, status);
}

/** Sends the browser on after a form, so that reloading the page does not send the form again. */
export function redirectWith(c: PageContext, location: string, flash: Flash): Response {
  setCookie(c, FLASH, JSON.stringify(flash), { path: '/ops', httpOnly: true, sameSite: 'Strict', maxAge: 60 });
  return c.redirect(location, 303);
}

/** @returns what is to be said on this page, once */
export function takeFlash(c: Context): Flash | undefined {
  const text = getCookie(c, FLASH);
  if (text === undefined) return undefined;
  deleteCookie(c, FLASH, { path: '/ops' });
  try {
    return flashSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Does what a form asks for, and sends the browser on to see what became of it. What the present state refuses, and
 * fields that are not valid, are said there.
 * @param work gets the fields; returns what to say, or that and where to go
 */
export async function perform<Schema extends z.ZodType>(
  c: PageContext,
  schema: Schema,
  back: string,
  work: (fields: z.output<Schema>, instruct: (reason: string) => Instruction) => Promise<string | { say: string; go: string }>,
): Promise<Response> {
  const fields = schema.safeParse(await c.req.parseBody({ all: true }));
  if (!fields.success) {
    return redirectWith(c, back, { kind: 'error', message: `Nothing was done: ${describeIssues(fields.error)}.` });
  }
  try {
    const result = await work(fields.data, (reason) => ({ actor: actorOf(c.var.caller), reason }));
    const { say, go } = typeof result === 'string' ? { say: result, go: back } : result;
    return redirectWith(c, go, { kind: 'done', message: say });
  } catch (error) {
    if (!(error instanceof IntakeError) || error.type === 'not_found') throw error;
    return redirectWith(c, back, { kind: 'error', message: `Nothing was done: ${error.message}` });
  }
}

/** @returns what is wrong with the fields of a form, in words */
export const describeIssues = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join(' ') || 'the form'}: ${message}`).join('; ');

/** Why something is done. */
export const reasonField = z.string().trim().min(1, 'say why').max(500);
/** A form that asks for no more than why. */
export const reasonForm = z.object({ reason: reasonField });

/** @returns the id in the path of the request. @throws IntakeError `not_found` when it is none */
export function pathId(c: PageContext, what: string): string {
  const id = z.uuid().safeParse(c.req.param('id'));
  if (!id.success) throw notFound(what);
  return id.data;
}

/** @returns where a page of a list begins: the id of the last row of the page before. One that is none begins at the start */
export const pageCursor = (c: PageContext): string | undefined => z.uuid().safeParse(c.req.query('cursor')).data;
