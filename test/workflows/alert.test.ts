import { expect, it } from 'vitest';
import { TASK_QUEUES } from '../../src/contracts/names.ts';
import { alertWorkflowId } from '../../src/contracts/ids.ts';
import { useRig } from '../support/rig.ts';

const rig = await useRig();

it('lets a run of an earlier version end, and sends nothing for it', async () => {
  const group = 'step/ship/warehouse_unavailable';
  const workflowId = alertWorkflowId(group);
  await rig.client.workflow.start('alert', { workflowId, taskQueue: TASK_QUEUES.operations, args: [{ group, digestEvery: 900_000 }] });
  await rig.result(workflowId);
  expect(rig.emails('oncall@holdfast.example')).toEqual([]);
});
