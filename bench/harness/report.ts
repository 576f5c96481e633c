import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Table from 'cli-table3';
import { z } from 'zod';
import { projectRoot } from '../../src/sandbox/project.ts';

const run = promisify(execFile);

const figures = z.object({
  title: z.string(),
  columns: z.array(z.string()),
  rows: z.array(z.array(z.union([z.string(), z.number()]))),
});

/** A table of figures. The first column says what a row is about. */
export type Figures = z.infer<typeof figures>;

/** What one run of a measure found, as it is stored. */
export const reportSchema = z.object({
  measure: z.string(),
  /** ISO 8601 */
  at: z.string(),
  commit: z.string(),
  /** Whether files differed from the commit. */
  modified: z.boolean(),
  machine: z.object({
    cpu: z.string(),
    cores: z.number(),
    memoryGb: z.number(),
    node: z.string(),
    postgres: z.string(),
    /** Of the last minute, before the run: whether the machine was quiet. */
    load: z.number(),
  }),
  options: z.record(z.string(), z.unknown()),
  tables: z.array(figures),
});
export type Report = z.infer<typeof reportSchema>;

const git = async (...args: string[]): Promise<string> => (await run('git', args, { cwd: projectRoot })).stdout.trim();

/** Reads what describes a run and not its result. Call it before the run. */
export async function describeRun(): Promise<Pick<Report, 'at' | 'commit' | 'modified'> & { machine: Omit<Report['machine'], 'postgres'> }> {
  return {
    at: new Date().toISOString(),
    commit: await git('rev-parse', '--short', 'HEAD'),
    modified: (await git('status', '--porcelain', '--', 'src', 'bench')) !== '',
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      node: process.versions.node,
      load: rounded(loadavg()[0] ?? 0),
    },
  };
}

/** Writes a report as `<measure>.json`. @returns its path */
export async function writeReport(folder: string, report: Report): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${report.measure}.json`);
  await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
  return path;
}

/** @returns figures as a table for a terminal */
export function asText({ title, columns, rows }: Figures): string {
  const table = new Table({
    head: columns,
    colAligns: columns.map((_, index) => (index === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows);
  return `${title}\n${table.toString()}`;
}

/** @returns figures as a table in Markdown */
export function asMarkdown({ title, columns, rows }: Figures): string {
  const rule = columns.map((_, index) => (index === 0 ? '---' : '---:'));
  return [`${title}:`, '', ...[columns, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`)].join('\n');
}

/** @returns a number with at most so many decimals */
export const rounded = (value: number, decimals = 1): number => Number(value.toFixed(decimals));
