import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../../src/sandbox/project.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts';
import type { Edit } from './sabotages.ts';

/** What a storm needs of this project. */
const PARTS = ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

/**
 * Copies this project as it is now, and edits the copy.
 * @throws Error if what an edit replaces is not there exactly once: the sabotage has to follow the code
 */
export async function sabotagedCopy(edits: readonly Edit[]): Promise<TemporaryFolder> {
  const folder = await createTemporaryFolder();
  for (const part of PARTS) await cp(join(projectRoot, part), join(folder.path, part), { recursive: true });
  await symlink(join(projectRoot, 'node_modules'), join(folder.path, 'node_modules'));
  for (const { file, find, replace } of edits) {
    const path = join(folder.path, file);
    const pieces = (await readFile(path, 'utf8')).split(find);
    if (pieces.length !== 2) {
      await folder.remove();
      throw new Error(`${file} has ${pieces.length - 1} times what this sabotage replaces:\n${find}`);
    }
    await writeFile(path, pieces.join(replace));
  }
  return folder;
}
