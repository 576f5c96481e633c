import type { Hono } from 'hono';
import { ZodError } from 'zod';
import { actorOf } from '../../contracts/caller.ts';
import { RequestError } from '../../contracts/request-error.ts';
import type { OperatorAction } from '../../operate/action.ts';
import type { PageContext, PageDependencies, PageEnv } from '../environment.ts';
import { redirectWith } from './respond.tsx';
import { describeIssues } from './search.ts';

/** The fields of a form. */
export type Fields = Record<string, string>;

/** How a form becomes an action. */
export interface ActionRoute {
  /** @returns the id of what the action is for */
  target: (c: PageContext) => string;
  /** @returns the page to go to afterwards */
  back: (target: string) => string;
  /** Makes the action's input of the form's fields, where they differ. */
  toInput?: (fields: Fields) => unknown;
}

/** Performs an operator's action for a form, then shows its result, or why nothing was done. */
export function postAction(
  app: Hono<PageEnv>,
  deps: PageDependencies,
  path: string,
  action: OperatorAction<PageDependencies>,
  { target, back, toInput = (fields) => fields }: ActionRoute,
): void {
  app.post(path, async (c) => {
    const id = target(c);
    try {
      await action.perform(deps, id, toInput(await readFields(c)), actorOf(c.var.caller));
      return redirectWith(c, back(id), 'done', action.done);
    } catch (error) {
      const problem = whyNot(error);
      if (problem === undefined) throw error;
      return redirectWith(c, back(id), 'error', `Nothing was done: ${problem}`);
    }
  });
}

async function readFields(c: PageContext): Promise<Fields> {
  const { csrf: _csrf, ...fields } = await c.req.parseBody();
  return Object.fromEntries(Object.entries(fields).filter((field): field is [string, string] => typeof field[1] === 'string'));
}

function whyNot(error: unknown): string | undefined {
  if (error instanceof ZodError) return `${describeIssues(error)}.`;
  return error instanceof RequestError && error.type !== 'not_found' ? error.message : undefined;
}
