import { status } from '@grpc/grpc-js';
import { isGrpcServiceError, type Client, type Connection } from '@temporalio/client';
import { QUEUE_NAMES, STATUS_SEARCH_ATTRIBUTE, TASK_QUEUES } from '../../contracts/names.ts';
import { readQueues } from '../../temporal/queues.ts';
import { listSchedules } from '../../temporal/schedules.ts';
import { callTemporal } from '../../temporal/availability.ts';
import { UndecodablePayloadError } from '../../temporal/payloads/codec.ts';
import { check, CheckFailed, type Finding } from './check.ts';

const REACH = 'Start Temporal, or correct TEMPORAL_ADDRESS (and TEMPORAL_API_KEY or TEMPORAL_TLS_…).';
const DECLARE = 'Start a worker for operations with the same SHOP_TIME_ZONE as here: it declares them.';
export const ADD_KEY = 'Set PAYLOAD_KEYS to the keys that the workers have.';

/**
 * @param timeZone that of the declared schedules
 * @returns whether Temporal answers, has what workflows need, has workers, and has the declared schedules
 */
export async function examineTemporal(connection: Connection, client: Client, timeZone: string): Promise<Finding[]> {
  const { namespace } = client.options;
  const reachable = await check(
    'Temporal',
    async () => {
      const { serverVersion } = await callTemporal(client, () => client.workflowService.getSystemInfo({}));
      return `version ${serverVersion}`;
    },
    REACH,
  );
  if (reachable.outcome !== 'ok') return [reachable];
  const known = await check(
    `Namespace ${namespace}`,
    () => describeNamespace(client),
    'Set TEMPORAL_NAMESPACE, or allow these credentials to use it.',
  );
  if (known.outcome !== 'ok') return [reachable, known];
  return [
    reachable,
    known,
    await check(
      `Search attribute ${STATUS_SEARCH_ATTRIBUTE.name}`,
      () => findSearchAttribute(connection, namespace),
      'Start a worker: it registers it.',
    ),
    ...(await examineQueues(client)),
    await check('Schedules', () => examineSchedules(client, timeZone), DECLARE),
  ];
}

async function describeNamespace(client: Client): Promise<string> {
  const { namespace } = client.options;
  try {
    const { config } = await callTemporal(client, () => client.workflowService.describeNamespace({ namespace }));
    const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
    return `keeps closed runs for ${days.toFixed(days < 2 ? 1 : 0)} days`;
  } catch (error) {
    if (!isGrpcServiceError(error) || error.code !== status.NOT_FOUND) throw error;
    throw new CheckFailed('it does not exist', `Create it: temporal operator namespace create --namespace ${namespace}`);
  }
}

/** @param type an `IndexedValueType` of Temporal's API */
const isKeyword = (type: number) => type === 2;

async function findSearchAttribute({ operatorService }: Connection, namespace: string): Promise<string> {
  const { name } = STATUS_SEARCH_ATTRIBUTE;
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const type = customAttributes?.[name];
  const create = `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type Keyword`;
  if (type === undefined) throw new CheckFailed('it is not registered', `Start a worker, or: ${create}`);
  if (!isKeyword(type)) throw new CheckFailed('it is of another type', `Remove it, then: ${create}`);
  return 'registered';
}

/** Each queue separately, because a worker may serve only some. */
async function examineQueues(client: Client): Promise<Finding[]> {
  const states = callTemporal(client, () => readQueues(client));
  return await Promise.all(
    QUEUE_NAMES.map((queue) =>
      check(
        `Workers of ${TASK_QUEUES[queue]}`,
        async () => {
          const state = (await states).find((one) => one.queue === queue);
          if (!state || state.warning !== undefined) throw new CheckFailed(state?.warning ?? 'the queue does not exist', startWorker(queue));
          return `${state.activities.pollers} polling`;
        },
        startWorker(queue),
      ),
    ),
  );
}

const startWorker = (queue: string) => `Start a worker for it: npm run worker -- --queues ${queue}`;

async function examineSchedules(client: Client, timeZone: string): Promise<string> {
  const schedules = await callTemporal(client, () => listSchedules(client, timeZone)).catch((error: unknown) => {
    throw error instanceof UndecodablePayloadError ? new CheckFailed(error.message, ADD_KEY) : error;
  });
  const drifted = schedules.filter(({ drift }) => drift.length > 0);
  if (drifted.length > 0) {
    const detail = drifted.map(({ scheduleId, drift }) => `${scheduleId}: ${drift.join(', ')}`).join('; ');
    throw new CheckFailed(`not as declared: ${detail}`, DECLARE);
  }
  const paused = schedules.filter((schedule) => schedule.paused).map(({ scheduleId }) => scheduleId);
  return paused.length > 0 ? `as declared; paused: ${paused.join(', ')}` : 'as declared';
}
