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

const everything: (keyof ProvidedContext)[] = [
  'postgresUrl',
  'temporalAddress',
  'testServerPath',
  'workflowBundlePath',
];
const needs = new Map<string, (keyof ProvidedContext)[]>([
  ['database', ['postgresUrl']],
  ['workflows', ['postgresUrl', 'testServerPath', 'workflowBundlePath']],
]);

/** Vitest loads this file anew for each project; what runs is kept on the process, so that each part is started once. */
const running: Map<string, Promise<RunningService>> = (() => {
  const key = Symbol.for('holdfast.test.services');
  const existing: unknown = Reflect.get(globalThis, key);
  if (existing instanceof Map) return existing;
  const created = new Map<string, Promise<RunningService>>();
  Reflect.set(globalThis, key, created);
  return created;
})();

/** Starts what the tests of a project need, tells them where it is, and stops it when the run ends. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const parts = needs.get(project.name) ?? everything;
  const outcomes = await Promise.allSettled(
    parts.map(async (part) => {
      const service = running.get(part) ?? services[part]();
      running.set(part, service);
      project.provide(part, (await service).fact);
    }),
  );
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) {
    await stopAll();
    throw failure.reason;
  }
  return stopAll;
}

/** Projects are torn down only once all have run, so the first to come stops everything. */
async function stopAll() {
  const started = [...running.values()];
  running.clear();
  await Promise.allSettled(started.map(async (service) => (await service).stop()));
}
