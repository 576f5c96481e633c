import { expect, it } from 'vitest';
import { sabotagedCopy } from './sabotage/copy.ts';
import { SABOTAGES } from './sabotage/sabotages.ts';

it.each(SABOTAGES)('can still be made in the present code: $name', async ({ aim, mistake }) => {
  const copy = await sabotagedCopy([...aim, ...mistake]);
  await copy.remove();
  expect(mistake).not.toEqual([]);
});
