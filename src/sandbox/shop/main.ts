// The API of the embedded stack: that of `src/api/main.ts`, with a shop window at `/`.
import { runApi } from '../../api/process.ts';
import { readShopSettings } from './settings.ts';
import { mountShopWindow } from './window.tsx';

await runApi((api) => mountShopWindow(api, readShopSettings(process.env)));
