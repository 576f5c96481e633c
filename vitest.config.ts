import { defineConfig } from 'vitest/config';

/** Tests by what they need running, so that a run waits only for that. A folder not named here gets everything. */
const unit = ['contracts', 'gateways', 'sandbox', 'scripts'].map(testsIn);
const database = ['db', 'activities'].map(testsIn);
const workflows = ['workflows', 'histories'].map(testsIn);

function testsIn(folder: string) {
  return `test/${folder}/**/*.test.{ts,tsx}`;
}

/** The global set-up goes by the project's name. */
const globalSetup = './test/support/global-setup.ts';

export default defineConfig({
  test: {
    // Temporal's native code keeps state per process.
    pool: 'forks',
    // Most of the time a test waits for a server: two side by side keep two cores busy.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'unit', include: [...unit, 'test/*.test.ts'] } },
      { extends: true, test: { name: 'database', include: database, globalSetup } },
      { extends: true, test: { name: 'workflows', include: workflows, globalSetup } },
      {
        extends: true,
        test: {
          name: 'services',
          include: ['test/*/**/*.test.{ts,tsx}'],
          exclude: [...unit, ...database, ...workflows],
          globalSetup,
        },
      },
    ],
  },
});
