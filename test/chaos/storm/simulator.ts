// One simulator in a process of its own, so that it can be killed:
//
//   tsx test/chaos/storm/simulator.ts payments '{"port":4010,"ledgerFile":"/tmp/…","secretKey":"…"}'
import { z } from 'zod';
import { startInbox } from '../../../src/sandbox/simulators/inbox.ts';
import { startPaymentSimulator } from '../../../src/sandbox/simulators/payments.ts';
import { startWarehouseSimulator } from '../../../src/sandbox/simulators/warehouse.ts';

const text = z.string();
const port = z.int();
const webhook = z.object({ url: text, secret: text });

const simulators: Record<string, (options: unknown) => Promise<{ close: () => Promise<void> }>> = {
  payments: (options) =>
    startPaymentSimulator(
      z.object({ port, ledgerFile: text, secretKey: text, webhook, settleAfterMs: z.int() }).parse(options),
    ),
  warehouse: (options) =>
    startWarehouseSimulator(
      z
        .object({ port, ledgerFile: text, apiKey: text, webhook, shipAfterMs: z.int(), deliverAfterMs: z.int() })
        .parse(options),
    ),
  inbox: (options) => startInbox(z.object({ smtpPort: port, httpPort: port, file: text }).parse(options)),
};

const [name = '', options = '{}'] = process.argv.slice(2);
const start = simulators[name];
if (!start) throw new Error(`There is no simulator "${name}".`);
const simulator = await start(JSON.parse(options));
process.once('SIGTERM', () => void simulator.close().then(() => process.exit()));
