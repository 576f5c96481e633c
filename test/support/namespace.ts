import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, inject, vi } from 'vitest';
import { registerSearchAttributes } from '../../src/temporal/search-attributes.ts';
import { dataConverter, PAYLOAD_KEYS } from './payloads.ts';

export type TestNamespace = Awaited<ReturnType<typeof createNamespace>>;

/**
 * Creates a namespace on a development server. Each test file needs its own: the names of the task queues are fixed, so
 * the workers of two files would take each other's tasks.
 * @param address of the server; by default, the one of this test run
 * @param converter of its client; by default, it encrypts
 */
export async function createNamespace(address: string = inject('temporalAddress'), converter: DataConverter = dataConverter) {
  const namespace = `test-${randomUUID()}`;
  const connection = await NativeConnection.connect({ address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  // A new namespace takes a while to reach every part of the server.
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
    client: new Client({ connection, namespace, dataConverter: converter }),
    /** What a worker or an API finds in its environment. */
    environment: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, PAYLOAD_KEYS },
    close: () => connection.close(),
  };
}

/** @returns a namespace for the tests of one file, disconnected after them */
export async function useNamespace(): Promise<TestNamespace> {
  const namespace = await createNamespace();
  afterAll(() => namespace.close());
  return namespace;
}
