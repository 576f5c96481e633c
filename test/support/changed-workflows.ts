import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** A change to the text of a file in `src/workflows`. */
export interface Change {
  file: string;
  /** @returns the changed code */
  change: (code: string) => string;
}

/**
 * Bundles the workflows with changes applied.
 * @returns the code of the bundle
 * @throws Error if a change has no effect, because the file no longer contains its text
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
      if (changed === code) throw new Error(`${file} no longer contains the text to change.`);
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
