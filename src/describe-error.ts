/**
 * @returns what helps to find the cause of an error, without anything from the request: the message of a failed query
 * holds its parameters, and the message about a wrong value holds the value
 */
export function describeError(error: unknown) {
  let root = error;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  if (!(root instanceof Error)) return { error: typeof root };
  const frames = root.stack?.split('\n').filter((line) => line.startsWith('    at '));
  return {
    error: root.constructor.name,
    code: property(root, 'code'),
    table: property(root, 'table_name'),
    constraint: property(root, 'constraint_name'),
    routine: property(root, 'routine'),
    stack: frames?.join('\n'),
  };
}

const property = (error: Error, key: string): unknown => (key in error ? Reflect.get(error, key) : undefined);
