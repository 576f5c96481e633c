import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { z } from 'zod';

/** A golden file: the workflow id, and the events in the format of Temporal's own tools. */
export const goldenHistorySchema = z.object({ workflowId: z.string().optional(), events: z.array(z.unknown()).min(1) });

/** Facts about the machine that recorded it. Replaying ignores them. */
const LEFT_OUT = new Set(['stackTrace', 'identity', 'binaryChecksum']);

/** @returns a history as it is stored: JSON in one line */
export function toGolden(workflowId: string, history: History): string {
  const recorded: unknown = JSON.parse(historyToJSON(history), (key, value: unknown) =>
    LEFT_OUT.has(key) ? undefined : value,
  );
  const { events } = goldenHistorySchema.parse(recorded);
  return `${JSON.stringify({ workflowId, events })}\n`;
}

const EMAIL = /[^\s"<>@:,;]+@[^\s"<>@:,;]+\.[a-z]{2,}/i;
/** Encodings of payloads that anyone can read. */
const READABLE = /^(json\/.*|binary\/(null|plain))$/;

/**
 * Looks for what must not be stored in a repository.
 * @param golden a history as it is kept
 * @returns what was found, in words that do not repeat it; undefined when nothing was
 */
export function findPersonalData(golden: string): string | undefined {
  let found: string | undefined;
  JSON.parse(golden, (_key, value: unknown) => {
    const payload = payloadSchema.safeParse(value).data;
    if (payload) {
      const encoding = decode(payload.metadata.encoding);
      if (!READABLE.test(encoding)) found ??= `a payload that cannot be read (${encoding})`;
      else if (EMAIL.test(decode(payload.data))) found ??= 'an email address in a payload';
    } else if (typeof value === 'string' && EMAIL.test(value)) found ??= 'an email address';
    return value;
  });
  return found;
}

const payloadSchema = z.object({ metadata: z.object({ encoding: z.string() }), data: z.string().default('') });
const decode = (base64: string) => Buffer.from(base64, 'base64').toString();

/**
 * Stores a golden history. An existing one is never replaced: it proves that older runs still replay.
 * @returns the file
 * @throws when a file of that name exists
 */
export async function writeGolden(folder: string, name: string, golden: string): Promise<string> {
  const file = join(folder, `${name}.json`);
  await writeFile(file, golden, { flag: 'wx' });
  return file;
}

/** @returns a file's name for a run, e.g. `order-0198…` */
export const goldenName = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
