import type { Command } from 'commander';
import { SERVICE_NAMES, type ServiceState, type WorkerState } from '../contracts/health.ts';
import { readHealth, type Health } from '../queries/health.ts';
import { healthView } from '../views/health.ts';
import { connected } from './connections.ts';
import { jsonOption } from './options.ts';
import { print, red, table, TEMPORAL_AWAY, type OutputOptions } from './output.ts';

/** `ops health`: whether the outside services answer, and which workers are alive. */
export function addHealth(program: Command): void {
  program
    .command('health')
    .description('Whether the outside services answer, as the workers see them, and which workers are alive.')
    .addOption(jsonOption())
    .action((options: OutputOptions) =>
      connected(async (connections) => {
        const health = await readHealth(connections);
        print(options, healthView(health), () => healthText(health));
      }),
    );
}

/** A bad state stands out. */
const stateText = (state: ServiceState | WorkerState): string => (state === 'ok' ? state : state.replace('_', ' ').toUpperCase());

const healthText = ({ services, workers, queues: { temporal } }: Health): string =>
  [
    ...(temporal === 'ok' ? [] : [red(TEMPORAL_AWAY)]),
    table(
      ['service', 'state', 'answering since', 'last success', 'last failure', 'last error'],
      services.map(({ service, state, answeringSince, lastSuccessAt, lastFailureAt, lastError }) => [
        SERVICE_NAMES[service],
        stateText(state),
        answeringSince,
        lastSuccessAt,
        lastFailureAt,
        lastError,
      ]),
      'No services.',
    ),
    '',
    table(
      ['worker', 'host', 'state', 'version', 'queues', 'started', 'last seen'],
      workers.map(({ identity, host, state, version, queues, startedAt, lastSeenAt }) => [
        identity,
        host,
        stateText(state),
        version,
        queues.join(', '),
        startedAt,
        lastSeenAt,
      ]),
      red('No worker is running.'),
    ),
  ].join('\n');
