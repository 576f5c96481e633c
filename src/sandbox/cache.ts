import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { projectRoot } from './project.ts';

/** Folder for downloads. Outside node_modules, which `npm ci` empties, and outside HOLDFAST_HOME, so that several stacks share it. */
export const cacheFolder = (): string => join(projectRoot, '.holdfast', 'cache');

/**
 * Downloads into a new folder, then moves the result into place in one step: no other process sees a part of it.
 * @param target path in the cache
 * @param download fills the folder. @returns the path in it of what belongs at `target`
 */
export async function intoCache(target: string, download: (folder: string) => Promise<string>): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const folder = await mkdtemp(join(dirname(target), 'download-'));
  try {
    await rename(await download(folder), target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
