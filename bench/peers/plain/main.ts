// The same shop as Temporal's samples would write it: the API writes the order and starts its workflow, each step is one
// activity, a webhook becomes a signal, and every option of the SDK has its default. The servers around it are the same.
import { answers } from '../../../src/sandbox/child.ts';
import { applicationEnvironment } from '../../../src/sandbox/application-environment.ts';
import { application, inboxPart, paymentsPart, temporalPart, warehousePart } from '../../../src/sandbox/parts.ts';
import { localUrl } from '../../../src/sandbox/ports.ts';
import { workerIsPolling } from '../../../src/sandbox/prepare.ts';
import { runPeer } from '../peer-stack.ts';

await runPeer('plain', async (context, database) => {
  const { settings, secrets } = context;
  const [temporal, mail, payments, warehouse] = await Promise.all([
    temporalPart(context),
    inboxPart(context),
    paymentsPart(context),
    warehousePart(context),
  ]);
  const addresses = { database, temporal, mail, payments, warehouse };
  const environment = applicationEnvironment(settings, process.env, secrets, addresses);
  const isPolling = workerIsPolling(environment);
  await Promise.all([
    application(context, environment, {
      name: 'api',
      args: ['bench/peers/plain/api.ts'],
      isReady: (signal) => answers(localUrl(settings.ports.api, '/livez'), signal),
    }),
    application(context, environment, {
      name: 'worker',
      args: ['bench/peers/plain/worker.ts'],
      isReady: (_signal, pid) => isPolling(pid),
    }),
  ]);
});
