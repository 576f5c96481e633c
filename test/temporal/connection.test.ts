import { expect, it } from 'vitest';
import { connectTemporal } from '../../src/temporal/connection.ts';

it('ends the calls that wait to be retried before it closes', async () => {
  const connection = connectTemporal({ address: '127.0.0.1:1' });
  const calls = Promise.allSettled(Array.from({ length: 5 }, () => connection.workflowService.getSystemInfo({})));
  await connection.withDeadline(Date.now() + 500, () => connection.workflowService.getSystemInfo({})).catch(() => {});
  await connection.close();
  expect((await calls).map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'rejected'));
});
