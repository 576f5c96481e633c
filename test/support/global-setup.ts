import type { ProvidedContext } from 'vitest';
import type { TestProject } from 'vitest/node';
import { services, type RunningService } from './services.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The PostgreSQL server of this run, as its superuser; see `createTestDatabase`. */
    postgresUrl: string;
    /** host:port of the development server of this run, with the search attributes. */
    temporalAddress: string;
    /** Path of the time-skipping server's program; each test file starts its own. */
    testServerPath: string;
    /** Path of the bundled workflow code. */
    workflowBundlePath: string;
  }
}

type ServiceName = keyof ProvidedContext;

/** What the tests of each project need. A project that is not listed gets every service. */
const needs = new Map<string, ServiceName[]>([
  ['database', ['postgresUrl']],
  ['workflows', ['postgresUrl', 'testServerPath', 'workflowBundlePath']],
  ['storm', ['workflowBundlePath']],
  ['soak', ['workflowBundlePath']],
]);
const everything: ServiceName[] = ['postgresUrl', 'temporalAddress', 'testServerPath', 'workflowBundlePath'];

/** Vitest loads this file once per project. Keeping the services on the process starts each of them only once. */
const running: Map<string, Promise<RunningService>> = (() => {
  const key = Symbol.for('holdfast.test.services');
  const existing: unknown = Reflect.get(globalThis, key);
  if (existing instanceof Map) return existing;
  const created = new Map<string, Promise<RunningService>>();
  Reflect.set(globalThis, key, created);
  return created;
})();

/** Starts the services that a project needs and provides their facts to its tests. @returns stops them */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const outcomes = await Promise.allSettled(
    (needs.get(project.name) ?? everything).map(async (name) => {
      const service = running.get(name) ?? services[name]();
      running.set(name, service);
      project.provide(name, (await service).fact);
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) {
    await stopAll();
    throw failed.reason;
  }
  return stopAll;
}

/** Projects are torn down after all of them have run, so the first teardown stops everything. */
async function stopAll(): Promise<void> {
  const started = [...running.values()];
  running.clear();
  await Promise.allSettled(started.map(async (service) => (await service).stop()));
}
