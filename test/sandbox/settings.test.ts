import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort, freePorts } from '../../src/sandbox/ports.ts';
import { checkPorts, readSettings } from '../../src/sandbox/settings.ts';

const names = ['API', 'TEMPORAL', 'TEMPORAL_UI', 'POSTGRES', 'SMTP', 'INBOX', 'PAYMENTS', 'WAREHOUSE'];

async function environmentOnFreePorts(): Promise<Record<string, string>> {
  const ports = await freePorts(names.length);
  return Object.fromEntries(names.map((name, index) => [`${name}_PORT`, String(ports[index])]));
}

describe('settings', () => {
  it('has the documented ports by default', () => {
    expect(readSettings({}).ports).toEqual({
      api: 3000,
      temporal: 7233,
      temporalUi: 8233,
      postgres: 5433,
      smtp: 1025,
      inbox: 1080,
      payments: 4010,
      warehouse: 4020,
    });
  });

  it('names a variable that is wrong', () => {
    expect(() => readSettings({ API_PORT: 'eighty' })).toThrow(/API_PORT/);
    expect(() => readSettings({ WAREHOUSE_SHIP_AFTER: 'soon' })).toThrow(/WAREHOUSE_SHIP_AFTER/);
  });

  it('takes an empty variable as not set', () => {
    expect(readSettings({ DATABASE_URL: '' }).real.databaseUrl).toBeUndefined();
  });
});

describe('the look at the ports', () => {
  it('passes when all are free', async () => {
    await expect(checkPorts(readSettings(await environmentOnFreePorts()))).resolves.toBeUndefined();
  });

  it('says which port is taken and how to choose another', async () => {
    const environment = await environmentOnFreePorts();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(Number(environment['POSTGRES_PORT']), '127.0.0.1', resolve));
    await expect(checkPorts(readSettings(environment))).rejects.toThrow(
      `Port ${environment['POSTGRES_PORT']} (PostgreSQL) is taken. Choose another with POSTGRES_PORT.`,
    );
    await new Promise((resolve) => server.close(resolve));
  });

  it('tells two parts on one port', async () => {
    const environment = await environmentOnFreePorts();
    const settings = readSettings({ ...environment, INBOX_PORT: environment['API_PORT'] });
    await expect(checkPorts(settings)).rejects.toThrow(/\(inbox\) is also API_PORT/);
  });

  it('leaves out the ports of parts that are not run here', async () => {
    const port = await freePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const settings = readSettings({
      ...(await environmentOnFreePorts()),
      POSTGRES_PORT: String(port),
      DATABASE_URL: 'postgres://shop@db.example/shop',
    });
    await expect(checkPorts(settings)).resolves.toBeUndefined();
    await new Promise((resolve) => server.close(resolve));
  });
});
