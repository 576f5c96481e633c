// Builds dist/, which needs neither TypeScript nor tsx: the compiled code, the migrations and the bundled workflows.
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

rmSync('dist', { recursive: true, force: true });
execFileSync('node_modules/.bin/tsc', ['--project', 'tsconfig.build.json'], { stdio: 'inherit' });
cpSync('src/db/migrations', 'dist/db/migrations', { recursive: true });
cpSync('src/temporal/workflow-threads.js', 'dist/temporal/workflow-threads.js');
cpSync('src/temporal/payloads/failure-converter.cjs', 'dist/temporal/payloads/failure-converter.cjs');
cpSync('src/console/assets', 'dist/console/assets', { recursive: true });
cpSync('src/api/customer/assets', 'dist/api/customer/assets', { recursive: true });
cpSync('src/views/fonts', 'dist/views/fonts', { recursive: true });
const { writeWorkflowBundle } = await import('../dist/temporal/workflow-bundle.js');
await writeWorkflowBundle('dist/workflow-bundle.js');
