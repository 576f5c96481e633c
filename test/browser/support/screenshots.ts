import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { openPage, signIn } from './browser.ts';
import type { Stack } from './stack.ts';

const FOLDER = fileURLToPath(new URL('../../../docs/images/', import.meta.url));

const LOOKS: Record<string, BrowserContextOptions> = {
  light: { colorScheme: 'light', viewport: { width: 1200, height: 780 } },
  dark: { colorScheme: 'dark', viewport: { width: 1200, height: 780 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 780 }, isMobile: true },
};

/** @returns the file name of a page's picture */
function nameOf(path: string): string {
  const [, , section = 'overview', id, query] = path.split(/[/?]/);
  if (section === 'span=day') return 'overview-day';
  if (id?.startsWith('status=')) return `${section}-failed`;
  if (id === 'new') return 'dry-run';
  return id === undefined ? section : section.replace(/s$/, query ? '-dry-run' : '');
}

/** Takes a picture of each page: light, dark, and on a phone. For `docs/operations.md`. @returns how many */
export async function capturePages(browser: Browser, stack: Stack, paths: string[]): Promise<number> {
  let taken = 0;
  await mkdir(FOLDER, { recursive: true });
  for (const [look, options] of Object.entries(LOOKS)) {
    const { page, context } = await openPage(browser, stack.url, options);
    await page.goto('/ops/sign-in');
    await page.screenshot({ path: `${FOLDER}sign-in-${look}.png` });
    await signIn(page, stack.keys.operator.key);
    for (const path of paths) {
      await page.goto(path);
      await page.screenshot({ path: `${FOLDER}${nameOf(path)}-${look}.png` });
      taken += 1;
    }
    await context.close();
  }
  return taken;
}
