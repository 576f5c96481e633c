import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { loadWorkerConfig } from '../../../src/config.ts';
import { TASK_QUEUES } from '../../../src/contracts/names.ts';
import { createMailGateway } from '../../../src/gateways/smtp.ts';
import { createPaymentGateway } from '../../../src/gateways/stripe.ts';
import { createWarehouseGateway } from '../../../src/gateways/warehouse.ts';
import { connectTemporalNatively } from '../../../src/temporal/native-connection.ts';
import { createActivities } from './activities.ts';
import { connectRows } from './rows.ts';

const config = loadWorkerConfig();
const worker = await Worker.create({
  connection: await connectTemporalNatively(),
  namespace: config.TEMPORAL_NAMESPACE,
  taskQueue: TASK_QUEUES.orders,
  workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
  activities: createActivities({
    rows: connectRows(config.DATABASE_URL, { max: config.DATABASE_POOL, name: 'plain-worker' }),
    payments: createPaymentGateway({ secretKey: config.STRIPE_SECRET_KEY, apiBase: config.STRIPE_API_BASE }),
    warehouse: createWarehouseGateway({ url: config.WAREHOUSE_URL, apiKey: config.WAREHOUSE_API_KEY }),
    mail: createMailGateway({ url: config.SMTP_URL, from: config.MAIL_FROM }),
  }),
});
await worker.run();
process.exit();
