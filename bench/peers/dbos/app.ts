import { DBOS } from '@dbos-inc/dbos-sdk';
import { loadApiConfig, loadWorkerConfig } from '../../../src/config.ts';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { createEdge } from '../edge.ts';
import { connectRows } from '../rows.ts';
import { addShop } from '../shop-api.ts';
import { connectSteps } from '../steps.ts';

const worker = loadWorkerConfig();
const config = { ...worker, ...loadApiConfig(), SMTP_URL: worker.SMTP_URL };
const rows = connectRows(config.DATABASE_URL, { max: config.DATABASE_POOL, name: 'dbos-app' });
const steps = connectSteps(config, rows);
type Step = keyof typeof steps;

/** Long enough for any news. */
const NEWS_TIMEOUT = 3_600;

/** Runs a step, which DBOS records and repeats. */
const run = (name: Step, work: () => Promise<void>): Promise<void> => DBOS.runStep(work, { name, retriesAllowed: true });
const runFor = (name: Exclude<Step, 'sendEmail'>, id: string) => run(name, () => steps[name](id));
const sendEmail = (id: string, template: Parameters<typeof steps.sendEmail>[1]) =>
  run('sendEmail', () => steps.sendEmail(id, template));

/** The saga of `plain`, in the words of DBOS. */
const order = DBOS.registerWorkflow(
  async (id: string): Promise<void> => {
    const compensations: Exclude<Step, 'sendEmail'>[] = [];
    try {
      compensations.unshift('releaseStock');
      await runFor('reserveStock', id);
      compensations.unshift('refundPayment');
      await runFor('chargePayment', id);
      await sendEmail(id, 'order_confirmed');
      compensations.unshift('cancelShipment');
      await runFor('requestShipment', id);
      await runFor('issueInvoice', id);
      await DBOS.recv('shipment.shipped', NEWS_TIMEOUT);
      await runFor('recordShipped', id);
      await sendEmail(id, 'order_shipped');
      await DBOS.recv('shipment.delivered', NEWS_TIMEOUT);
      await runFor('completeOrder', id);
      await sendEmail(id, 'order_delivered');
    } catch (error) {
      for (const compensation of compensations) await runFor(compensation, id);
      await runFor('failOrder', id);
      throw error;
    }
  },
  { name: 'order' },
);

DBOS.setConfig({ name: 'dbos', systemDatabaseUrl: config.DATABASE_URL, logLevel: 'warn' });
await DBOS.launch();
const { api, serve } = createEdge('dbos', config.DATABASE_URL);
addShop(api, {
  rows,
  warehouseWebhookSecret: config.WAREHOUSE_WEBHOOK_SECRET[0],
  start: (id) => DBOS.startWorkflow(order, { workflowID: orderWorkflowId(id) })(id),
  tell: (id, news) => DBOS.send(orderWorkflowId(id), news, news),
});
await serve(config.API_PORT);
