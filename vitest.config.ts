import { defineConfig } from 'vitest/config';
import { SOAK_VARIABLE } from './test/chaos/soak/options.ts';

/** The test folders by the services they need, so that a run starts only those. A folder not listed gets every service. */
const unit = ['contracts', 'gateways', 'sandbox', 'views'].map(testsIn);
const database = ['activities', 'console', 'db', 'intake', 'queries', 'records'].map(testsIn);
const workflows = ['histories', 'model', 'workflows'].map(testsIn);
/** Starts every service itself, to kill it. */
const storm = ['test/chaos/storm.test.ts'];
/** Takes many minutes, so only its own command runs it. */
const soak = ['test/chaos/soak.test.ts'];

function testsIn(folder: string) {
  return `test/${folder}/**/*.test.{ts,tsx}`;
}

/** Starts the services of a project, by its name. */
const globalSetup = './test/support/global-setup.ts';

export default defineConfig({
  test: {
    // Temporal's native code keeps state per process.
    pool: 'forks',
    // Tests mostly wait for a server, so two at once keep two cores busy.
    maxWorkers: 2,
    // A busy machine is many times slower than a quiet one. No test asserts how long something takes.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    projects: [
      { extends: true, test: { name: 'unit', include: [...unit, 'test/*.test.ts'] } },
      { extends: true, test: { name: 'database', include: database, globalSetup } },
      { extends: true, test: { name: 'workflows', include: workflows, globalSetup } },
      { extends: true, test: { name: 'storm', include: storm, globalSetup } },
      ...(process.env[SOAK_VARIABLE] ? [{ extends: true as const, test: { name: 'soak', include: soak, globalSetup } }] : []),
      {
        extends: true,
        test: {
          name: 'services',
          include: ['test/*/**/*.test.{ts,tsx}'],
          exclude: [...unit, ...database, ...workflows, ...storm, ...soak],
          globalSetup,
        },
      },
    ],
  },
});
