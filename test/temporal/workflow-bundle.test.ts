import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { projectRoot } from '../../src/sandbox/project.ts';

/** What would be shared by all runs of a worker: a variable or a collection of a module, or a static field. */
const STATE = /^(export )?((let|var) |const \w+(: [^=]+)? = (new (Map|Set|WeakMap|WeakSet)\b|\[\]|\{\}))|^\s+static (readonly )?[#\w]+(: [^=]+)? =/m;

it('contains no module of ours that holds something that changes', async () => {
  const code = await readFile(inject('workflowBundlePath'), 'utf8');
  const ours = [...code.matchAll(/^ *!\*{3} (\.\/src\/\S+\.ts) \*{3}!$/gm)].map(([, file = '']) => file);
  expect(ours).toContain('./src/workflows/order.ts');
  for (const file of ours) expect({ file, text: await readFile(join(projectRoot, file), 'utf8') }).toMatchObject({ text: expect.not.stringMatching(STATE) });
  expect('const seen = new Map();').toMatch(STATE);
});
