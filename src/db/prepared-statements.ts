import type { ClientBase } from 'pg';

/** So many are prepared; the rest are parsed each time. A list of values makes another statement for each length. */
const MOST_STATEMENTS = 300;

/** The names of the statements of this process. */
const names = new Map<string, string>();

/**
 * Makes a connection prepare each statement that drizzle runs with parameters, so that Postgres parses it once. The statements
 * of the steps are long: parsing them took a third of Postgres's time. Not for the API, whose longest statements have names
 * already, and plans that are kept.
 */
export async function prepareStatements(connection: ClientBase): Promise<void> {
  // A plan that was made while a table was small would read all of it once it has grown.
  await connection.query('set plan_cache_mode = force_custom_plan');
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
