import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { failureConverterPath } from '../../src/temporal/payloads/data-converter.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** A change to the text of a file in `src/workflows`. */
export interface Change {
  file: string;
  /** What the changed code needs of `@temporalio/workflow` and the file does not import yet. */
  imports?: readonly string[];
  /** @returns the changed code */
  change: (code: string) => string;
}

/**
 * Bundles the workflows with some changes.
 * @returns the code of the bundle
 * @throws Error if a change has no effect, because the code it is meant for is gone
 */
export async function bundleChangedWorkflows(changes: readonly Change[]): Promise<string> {
  const folder = await createTemporaryFolder();
  const path = (...parts: string[]) => join(folder.path, ...parts);
  try {
    await cp(join(PROJECT, 'src/workflows'), path('workflows'), { recursive: true });
    await cp(join(PROJECT, 'src/contracts'), path('contracts'), { recursive: true });
    await symlink(join(PROJECT, 'node_modules'), path('node_modules'));
    for (const { file, imports = [], change } of changes) {
      const code = await readFile(path('workflows', file), 'utf8');
      const changed = change(code);
      if (changed === code) throw new Error(`The change to ${file} has no effect: update it to the present code.`);
      const added = imports.map((name) => `import { ${name} } from '@temporalio/workflow';\n`);
      await writeFile(path('workflows', file), [...added, changed].join(''));
    }
    const { code } = await bundleWorkflowCode({
      workflowsPath: path('workflows', 'index.ts'),
      failureConverterPath,
      logger: new DefaultLogger('ERROR'),
    });
    return code;
  } finally {
    await folder.remove();
  }
}
