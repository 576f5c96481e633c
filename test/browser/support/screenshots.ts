import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openPage, signIn } from './browser.ts';
import type { Stack } from './stack.ts';

/** `SCREENSHOTS=1` renews the pictures of the documentation. */
export const TAKES_PICTURES = process.env['SCREENSHOTS'] === '1';

const FOLDER = fileURLToPath(new URL('../../../docs/images/', import.meta.url));

const LOOKS: Record<string, BrowserContextOptions> = {
  light: { colorScheme: 'light', viewport: { width: 1200, height: 780 } },
  dark: { colorScheme: 'dark', viewport: { width: 1200, height: 780 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 780 }, isMobile: true },
};

/** @returns the name of the picture of a page of the operator */
function nameOf(path: string): string {
  const [, , section = 'overview', id, query] = path.split(/[/?]/);
  if (section === 'span=day') return 'overview-day';
  if (id?.startsWith('status=')) return `${section}-failed`;
  if (id === 'new') return 'dry-run';
  return id === undefined ? section : section.replace(/s$/, query ? '-dry-run' : '');
}

/**
 * Takes pictures light, dark, and on a phone.
 * @param show brings a page to what is to be seen, and takes its pictures by their names
 * @returns how many
 */
export async function capture(browser: Browser, url: string, show: (page: Page, take: (name: string) => Promise<void>) => Promise<void>): Promise<number> {
  let taken = 0;
  await mkdir(FOLDER, { recursive: true });
  for (const [look, options] of Object.entries(LOOKS)) {
    const { page, context } = await openPage(browser, url, options);
    await show(page, async (name) => {
      await page.screenshot({ path: `${FOLDER}${name}-${look}.png` });
      taken += 1;
    });
    await context.close();
  }
  return taken;
}

/** Takes pictures of the sign-in, and of pages of the operator. @returns how many */
export const capturePages = (browser: Browser, stack: Stack, paths: string[]): Promise<number> =>
  capture(browser, stack.url, async (page, take) => {
    await page.goto('/ops/sign-in');
    await take('sign-in');
    await signIn(page, stack.keys.operator.key);
    for (const path of paths) {
      await page.goto(path);
      await take(nameOf(path));
    }
  });
