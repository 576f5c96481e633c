import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { NativeConnection } from '@temporalio/worker';
import { inject, vi } from 'vitest';
import { registerSearchAttributes } from '../../src/temporal/search-attributes.ts';

/**
 * A namespace of one test file's own on a development server: task queues have fixed names, and another file's worker
 * would take this one's work.
 * @param address of the server; that of this run, unless given
 */
export async function createNamespace(address: string = inject('temporalAddress')) {
  const namespace = `test-${randomUUID()}`;
  const connection = await NativeConnection.connect({ address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  // The server's parts learn of a namespace one after another.
  await vi.waitFor(
    async () => {
      await registerSearchAttributes(connection, namespace);
      await connection.workflowService.listWorkflowExecutions({ namespace, query: 'HoldfastStatus = "none"' });
    },
    { timeout: 30_000, interval: 100 },
  );
  return {
    address,
    /** The same as `namespace`. */
    name: namespace,
    namespace,
    connection,
    client: new Client({ connection, namespace }),
    /** What a worker or an API finds in its environment. */
    environment: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace },
    close: () => connection.close(),
  };
}

export type TestNamespace = Awaited<ReturnType<typeof createNamespace>>;
