import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** A change of a file in `src/workflows`, as text. */
export interface Change {
  file: string;
  /** @returns the changed code */
  change: (code: string) => string;
}

/**
 * Bundles the workflows as they would be after a change.
 * @returns the code of the bundle
 * @throws Error when a change changes nothing: the file no longer has what is to be changed
 */
export async function bundleChangedWorkflows(changes: readonly Change[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-changed-'));
  try {
    await cp(join(PROJECT, 'src/workflows'), join(folder, 'workflows'), { recursive: true });
    await cp(join(PROJECT, 'src/contracts'), join(folder, 'contracts'), { recursive: true });
    await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
    for (const { file, change } of changes) {
      const path = join(folder, 'workflows', file);
      const code = await readFile(path, 'utf8');
      const changed = change(code);
      if (changed === code) throw new Error(`${file} no longer has what is to be changed.`);
      await writeFile(path, changed);
    }
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(folder, 'workflows/index.ts'),
      logger: new DefaultLogger('ERROR'),
    });
    return code;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
