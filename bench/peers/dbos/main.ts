// The same shop on DBOS: workflows in the process that answers requests, as its makers show it, with their state in Postgres.
import { answers } from '../../../src/sandbox/child.ts';
import { applicationEnvironment } from '../../../src/sandbox/application-environment.ts';
import { application, inboxPart, paymentsPart, warehousePart } from '../../../src/sandbox/parts.ts';
import { localUrl } from '../../../src/sandbox/ports.ts';
import { runPeer } from '../peer-stack.ts';

await runPeer('dbos', async (context, database) => {
  const { settings, secrets } = context;
  const [mail, payments, warehouse] = await Promise.all([inboxPart(context), paymentsPart(context), warehousePart(context)]);
  const addresses = { database, temporal: '', mail, payments, warehouse };
  await application(context, applicationEnvironment(settings, process.env, secrets, addresses), {
    // It does the work of the API, too.
    name: 'worker',
    args: ['bench/peers/dbos/app.ts'],
    isReady: (signal) => answers(localUrl(settings.ports.api, '/livez'), signal),
  });
});
