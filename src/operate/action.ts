import { z } from 'zod';
import type { OperatorActionName } from '../contracts/audit.ts';
import type { Instruction } from '../contracts/caller.ts';
import { reason } from '../contracts/fields.ts';
import type { RequestErrorType } from '../contracts/request-error.ts';
import type { Database, Transaction } from '../db/client.ts';
import { transaction } from '../db/transaction.ts';
import { recordOperatorAction } from '../records/audit.ts';

/** What an action works with. */
export interface ActionContext {
  db: Database;
}

/** What an action is, apart from doing it. API, page and command line all read it from here. */
export interface ActionDescription {
  /** Its name in the audit. */
  name: OperatorActionName;
  /** What it does, in a few words, e.g. `Retry the failed step`. */
  label: string;
  /** What will happen, in a sentence or two. */
  about: string;
  /** What to say once it is requested. */
  done: string;
  /** Why it may be refused, besides `not_found`. */
  refusals: readonly RequestErrorType[];
}

/** Something that an operator can do to one thing. */
export interface OperatorAction<Context extends ActionContext = ActionContext> extends ActionDescription {
  /** What it needs: a reason, and for some actions more. */
  input: z.ZodObject;
  /**
   * Decides, acts and writes the audit entry, in one transaction.
   * @param target the id of what it acts on
   * @param given what `input` describes
   * @throws ZodError when `given` is not valid; RequestError `not_found` or one of `refusals`
   */
  perform(context: Context, target: string, given: unknown, actor: string): Promise<void>;
}

interface ActDefinition<Input, Context> {
  input: z.ZodObject & z.ZodType<Input>;
  /** Does it, within a transaction that also holds the audit entry. */
  act: (tx: Transaction, target: string, given: Input & Instruction, context: Context) => Promise<void>;
}

/** The input of an action that needs nothing but a reason. */
export const reasonInput = z.strictObject({ reason });

/** Makes an operator's action. */
export function defineAction<Input extends { reason: string }, Context extends ActionContext = ActionContext>({
  input,
  act,
  ...description
}: ActionDescription & ActDefinition<Input, Context>): OperatorAction<Context> & ActDefinition<Input, Context> {
  return {
    ...description,
    input,
    act,
    async perform(context, target, given, actor) {
      const instruction = { ...input.parse(given), actor };
      await transaction(context.db, async (tx) => {
        // First, so that what fails or is refused below takes the entry with it.
        await recordOperatorAction(tx, description.name, target, instruction);
        await act(tx, target, instruction, context);
      });
    },
  };
}
