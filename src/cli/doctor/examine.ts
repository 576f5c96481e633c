import { Client } from '@temporalio/client';
import { ConfigError, loadOpsConfig, type OpsConfig } from '../../config.ts';
import { connectDatabase } from '../../db/client.ts';
import { DATABASE_LIMITS } from '../../db/limits.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { createDataConverter } from '../../temporal/payloads/data-converter.ts';
import type { PayloadKeys } from '../../temporal/payloads/keys.ts';
import { check, NotChecked, CheckFailed, type Finding } from './check.ts';
import { examineOutside, temporalClock } from './outside.ts';
import { examinePostgres, postgresClock } from './postgres.ts';
import { examineReceivers } from './receivers.ts';
import { ADD_KEY, examineTemporal } from './temporal.ts';

/** What was checked, and whether all of it is in order. What could not be checked does not count. */
export interface Examination {
  ok: boolean;
  findings: Finding[];
}

/** @returns the state of this installation, part by part. Changes nothing */
export async function examine(environment: NodeJS.ProcessEnv): Promise<Examination> {
  const configuration = readConfiguration(environment);
  const findings = [
    await check('Node.js', () => Promise.resolve(nodeVersion(process.versions.node)), NODE),
    ...(configuration instanceof ConfigError
      ? [await check('Environment', () => Promise.reject(configuration), 'Set the named variables.')]
      : await examineParts(configuration, environment)),
  ];
  return { ok: findings.every(({ outcome }) => outcome !== 'failed'), findings };
}

async function examineParts(config: OpsConfig, environment: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { db, close } = connectDatabase(config.DATABASE_URL, { max: 2, name: 'holdfast-doctor', limits: DATABASE_LIMITS.command });
  const connection = connectTemporal({}, environment);
  const dataConverter = createDataConverter(config.PAYLOAD_KEYS);
  const client = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE, dataConverter });
  try {
    const [postgres, temporal, outside, receivers] = await Promise.all([
      examinePostgres(db),
      examineTemporal(connection, client, config.SHOP_TIME_ZONE),
      examineOutside(environment),
      examineReceivers(environment),
    ]);
    const clocks = new Map(outside.clocks);
    // Parts that do not answer are already among the findings.
    await postgresClock(db).then((ahead) => clocks.set('Postgres', ahead), ignore);
    await temporalClock({ TEMPORAL_UI_URL: config.TEMPORAL_UI_URL }).then((ahead) => clocks.set('Temporal', ahead), ignore);
    const clock = await check('Clock', () => Promise.resolve(compareClocks(clocks)), NTP);
    const keys = await check('Payload keys', () => Promise.resolve(describeKeys(config.PAYLOAD_KEYS)), ADD_KEY);
    return [...postgres, ...temporal, keys, ...outside.findings, ...receivers, clock];
  } finally {
    await Promise.all([close(), connection.close()]);
  }
}

function readConfiguration(environment: NodeJS.ProcessEnv): OpsConfig | ConfigError {
  try {
    return loadOpsConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** as in package.json */
const OLDEST_NODE = { major: 20, minor: 19 };
const NODE = `Install Node.js ${OLDEST_NODE.major}.${OLDEST_NODE.minor} or newer.`;

/** @throws CheckFailed when it is too old */
function nodeVersion(version: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const { major: oldest } = OLDEST_NODE;
  if (major < oldest || (major === oldest && minor < OLDEST_NODE.minor)) throw new CheckFailed(version, NODE);
  return version;
}

function describeKeys({ current, byId }: PayloadKeys): string {
  const older = [...byId.keys()].filter((id) => id !== current?.id);
  const encrypts = current ? `${current.id} encrypts` : 'none: payloads are sent in clear text';
  return older.length === 0 ? encrypts : `${encrypts}; ${older.join(', ')} also decrypts`;
}

/** ms. Webhook signatures are taken within five minutes, and a `Date` header is up to a second old. */
const TOLERANCE = 5_000;
const NTP = 'Let NTP set the clocks: signatures, schedules and reports depend on them.';

/** @throws CheckFailed when a clock differs from ours */
function compareClocks(clocks: Map<string, number>): string {
  if (clocks.size === 0) throw new NotChecked('no part told the time');
  const told = [...clocks].map(([who, ahead]) => `${who} ${ahead < 0 ? '−' : '+'}${(Math.abs(ahead) / 1_000).toFixed(1)} s`);
  const worst = Math.max(...[...clocks.values()].map(Math.abs));
  if (worst > TOLERANCE) throw new CheckFailed(`it differs from ours: ${told.join(', ')}`, NTP);
  return `as ours: ${told.join(', ')}`;
}

const ignore = () => {};
