import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { loadWorkerConfig } from '../../../src/config.ts';
import { TASK_QUEUES } from '../../../src/contracts/names.ts';
import { connectTemporalNatively } from '../../../src/temporal/native-connection.ts';
import { connectRows } from '../rows.ts';
import { connectSteps } from '../steps.ts';

const config = loadWorkerConfig();
const worker = await Worker.create({
  connection: await connectTemporalNatively(),
  namespace: config.TEMPORAL_NAMESPACE,
  taskQueue: TASK_QUEUES.orders,
  workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
  activities: connectSteps(config, connectRows(config.DATABASE_URL, { max: config.DATABASE_POOL, name: 'plain-worker' })),
});
await worker.run();
process.exit();
