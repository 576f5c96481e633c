import { runApi } from './process.ts';

await runApi();
