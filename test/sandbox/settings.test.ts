import { describe, expect, it } from 'vitest';
import { freePort } from '../../src/sandbox/ports.ts';
import { checkPorts, readSettings } from '../../src/sandbox/settings.ts';
import { freePortVariables } from '../support/stack-ports.ts';
import { occupy } from './ports-support.ts';

describe('settings', () => {
  it('default to the documented ports', () => {
    expect(readSettings({}).ports).toEqual({
      api: 3000,
      temporal: 7233,
      temporalUi: 8233,
      postgres: 5433,
      smtp: 1025,
      inbox: 1080,
      payments: 4010,
      warehouse: 4020,
      apiMetrics: 9464,
      workerMetrics: 9465,
      temporalMetrics: 9466,
    });
  });

  it('with an invalid variable are rejected, and the error names it', () => {
    expect(() => readSettings({ API_PORT: 'eighty' })).toThrow(/API_PORT/);
    expect(() => readSettings({ WAREHOUSE_SHIP_AFTER: 'soon' })).toThrow(/WAREHOUSE_SHIP_AFTER/);
  });

  it.each([{}, { API_HOST: '127.0.0.1' }, { API_HOST: 'localhost' }, { API_HOST: '::1' }])('have a shop window when only this machine reaches the API: %j', (variables) => {
    expect(readSettings(variables).hasShopWindow).toBe(true);
  });

  it.each([{ API_HOST: '0.0.0.0' }, { API_HOST: '::' }, { API_HOST: '' }, { API_HOST: '192.168.1.7' }, { NODE_ENV: 'production' }])(
    'have no shop window when others could order with its key: %j',
    (variables) => {
      expect(readSettings(variables).hasShopWindow).toBe(false);
    },
  );

  it('treat an empty variable as not set', () => {
    expect(readSettings({ DATABASE_URL: '' }).real.databaseUrl).toBeUndefined();
  });
});

describe('the port check', () => {
  it('passes if all ports are free', async () => {
    await expect(checkPorts(readSettings(await freePortVariables()))).resolves.toBeUndefined();
  });

  it('says which port is taken and how to choose another', async () => {
    const environment = await freePortVariables();
    await occupy(Number(environment['POSTGRES_PORT']));
    await expect(checkPorts(readSettings(environment))).rejects.toThrow(
      `Port ${environment['POSTGRES_PORT']} (PostgreSQL) is taken. Choose another with POSTGRES_PORT.`,
    );
  });

  it('detects two parts on one port', async () => {
    const environment = await freePortVariables();
    const settings = readSettings({ ...environment, INBOX_PORT: environment['API_PORT'] });
    await expect(checkPorts(settings)).rejects.toThrow(/\(inbox\) is also API_PORT/);
  });

  it('ignores the ports of parts that the stack does not run', async () => {
    const port = await freePort();
    await occupy(port);
    const settings = readSettings({
      ...(await freePortVariables()),
      POSTGRES_PORT: String(port),
      DATABASE_URL: 'postgres://shop@db.example/shop',
    });
    await expect(checkPorts(settings)).resolves.toBeUndefined();
  });
});
