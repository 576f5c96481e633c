import { createNamespace } from '../../support/namespace.ts';
import { startStack as startOn } from '../../support/stack.ts';
import { fillPast } from './past.ts';

export type Stack = Awaited<ReturnType<typeof startStack>>;

/** A whole shop in a Temporal namespace of its own, with ten days of orders behind it. */
export async function startStack() {
  const temporal = await createNamespace();
  const stack = await startOn(temporal.environment);
  await fillPast(stack.shop);
  return {
    ...stack,
    async close(): Promise<void> {
      await stack.close();
      await temporal.close();
    },
  };
}
