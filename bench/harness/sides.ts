import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { loadPayloadKeys } from '../../src/config.ts';
import { createDataConverter } from '../../src/temporal/payloads/data-converter.ts';
import { writeWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { fillStock, type BenchPostgres } from './postgres.ts';
import { checkOut, startSide, type Side, type SideOptions } from './side.ts';

/** What every measure gets. */
export interface Bench {
  /** For data and logs. Removed after the run. */
  folder: string;
  postgres: BenchPostgres;
  /** An earlier commit to compare with. */
  baseline: string | undefined;
  /** Calls this at the end of the run, however it ends, the last one first. */
  atEnd: (stop: () => Promise<void>) => void;
  /** Prints progress. */
  tell: (line: string) => void;
  /** Keeps something to look into beside the figures. */
  keep: (file: string, text: string) => Promise<void>;
}

/** How a side is started apart from its place, which its name determines. */
export type SideSetup = Pick<SideOptions, 'entry' | 'environment'> & {
  /** @returns the URL under which its processes reach the database */
  through?: (databaseUrl: string) => string;
};

/** Starts the product as it is in this checkout. As in production, its workflows are bundled in advance. */
export async function startProduct(bench: Bench, setup: SideSetup = {}): Promise<Side> {
  const bundle = process.env['WORKFLOW_BUNDLE'] ?? join(bench.folder, 'workflow-bundle.js');
  if (!existsSync(bundle)) await writeWorkflowBundle(bundle);
  return await start(bench, 'holdfast', { ...setup, environment: { WORKFLOW_BUNDLE: bundle, ...setup.environment } });
}

/** Starts the product as it was at the baseline. @returns undefined if the run has none */
export async function startBaseline(bench: Bench, setup: SideSetup = {}): Promise<Side | undefined> {
  if (bench.baseline === undefined) return undefined;
  return await start(bench, bench.baseline, setup, await checkOut(bench.baseline, bench.folder));
}

/** Starts a peer, whose entry is in `bench/peers`. */
export const startPeer = (bench: Bench, name: string, setup: SideSetup = {}): Promise<Side> =>
  start(bench, name, { entry: `bench/peers/${name}/main.ts`, ...setup });

/** @returns a client of a side's Temporal, closed at the end of the run */
export async function connectTo({ atEnd }: Bench, side: Side): Promise<Client> {
  const connection = await Connection.connect({ address: side.temporalAddress });
  atEnd(() => connection.close());
  const keys = loadPayloadKeys({ PAYLOAD_KEYS: side.keys.payloadKeys });
  return new Client({ connection, dataConverter: createDataConverter(keys) });
}

async function start(bench: Bench, name: string, { through, ...setup }: SideSetup, checkout?: string): Promise<Side> {
  const databaseUrl = await bench.postgres.createDatabase(`side_${name}`);
  bench.tell(`starting ${name} …`);
  const side = await startSide({
    name,
    folder: join(bench.folder, name),
    databaseUrl,
    ...(through && { connectThrough: through(databaseUrl) }),
    ...(checkout && { checkout }),
    ...setup,
  });
  bench.atEnd(() => side.stop());
  await fillStock(side.sql);
  return side;
}
