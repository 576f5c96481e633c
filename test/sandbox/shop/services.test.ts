import { expect, it } from 'vitest';
import { createPaymentGateway } from '../../../src/gateways/stripe.ts';
import { createWarehouseGateway } from '../../../src/gateways/warehouse.ts';
import { probePaymentProvider, probeWarehouse } from '../../../src/health/probes.ts';
import { readFault, setFault } from '../../../src/sandbox/fault-panels.ts';
import { FAULT_CHOICES } from '../../../src/sandbox/shop/services.ts';
import { startWarehouseSimulator } from '../../../src/sandbox/simulators/warehouse.ts';
import { closing, secretKey, startPayments, temporaryFile } from '../simulators/support.ts';

const apiKey = 'wh_test';
const everything = { from: undefined, until: new Date('2100-01-01T00:00:00Z') };
const waiting = { mode: 'drop_after_commit', count: 1 };

it('keeps a lost answer of the warehouse for an order, whatever else is asked meanwhile', async () => {
  const { url } = closing(await startWarehouseSimulator({ port: 0, ledgerFile: temporaryFile(), apiKey }));
  await setFault(url, FAULT_CHOICES.lose.fault('warehouse'));
  await probeWarehouse({ WAREHOUSE_URL: url, WAREHOUSE_API_KEY: apiKey })();
  await createWarehouseGateway({ url, apiKey }).listShipments(everything, undefined);
  expect(await readFault(url)).toMatchObject(waiting);
});

it('keeps a lost answer of the payment provider for an order, whatever else is asked meanwhile', async () => {
  const { url } = await startPayments();
  await setFault(url, FAULT_CHOICES.lose.fault('payments'));
  await probePaymentProvider({ STRIPE_API_BASE: url, STRIPE_SECRET_KEY: secretKey })();
  const gateway = createPaymentGateway({ secretKey, apiBase: url });
  await gateway.listIntentsCreated(everything, undefined);
  await gateway.listRefundsCreated(everything, undefined);
  expect(await readFault(url)).toMatchObject(waiting);
});
