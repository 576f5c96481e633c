import { QueryNotRegisteredError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { useNamespace } from '../support/namespace.ts';
import { startWorker } from '../support/service-process.ts';
import { useShop } from '../support/shop.ts';

const temporal = await useNamespace();
const shop = await useShop();

it('takes no stack trace for each promise of a workflow', { timeout: 60_000 }, async () => {
  const worker = await startWorker({ ...shop.environment, ...temporal.environment });
  const { orderId } = await shop.placeOrder();
  const run = temporal.client.workflow.getHandle(orderWorkflowId(orderId));
  await expect.poll(async () => (await run.describe()).historyLength, { timeout: 30_000 }).toBeGreaterThan(5);
  await expect(run.query('__stack_trace')).rejects.toThrow(QueryNotRegisteredError);
  await worker.stop();
});
