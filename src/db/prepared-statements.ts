import type { PoolClient } from 'pg';

/** Lists of values make any number of different statements. Postgres keeps no more of them than this. */
const MOST_STATEMENTS = 300;

/** The names of the statements of this process. */
const names = new Map<string, string>();

/**
 * Makes a connection prepare each statement that has parameters, so that Postgres parses it once. Those of the steps are long,
 * and parsing them took a third of its time. Not for the API: its longest statements have names, and plans that are kept.
 */
export function prepareStatements(connection: PoolClient): void {
  // oxlint-disable-next-line typescript/unbound-method -- the proxy passes `this` on.
  connection.query = new Proxy(connection.query, {
    apply: (query, client, [config, values, ...others]: unknown[]) =>
      Reflect.apply(query, client, [isPreparable(config, values) ? named(config) : config, values, ...others]),
  });
}

/** Transaction control has no parameters. */
const isPreparable = (config: unknown, values: unknown): config is { text: string } =>
  typeof config === 'object' &&
  config !== null &&
  'text' in config &&
  typeof config.text === 'string' &&
  !('name' in config && config.name) &&
  Array.isArray(values) &&
  values.length > 0;

function named<Statement extends { text: string }>(statement: Statement): Statement & { name?: string } {
  const { text } = statement;
  const known = names.get(text);
  if (known !== undefined) return { ...statement, name: known };
  if (names.size >= MOST_STATEMENTS) return statement;
  const name = `holdfast_${names.size + 1}`;
  names.set(text, name);
  return { ...statement, name };
}
