interface HeaderOptions {
  required?: boolean;
  example?: string;
  pattern?: string;
}

/** @returns the description of an answer's header. By default, each answer has it */
export const header = (description: string, { required = true, example, pattern }: HeaderOptions = {}) => ({
  description,
  required,
  schema: { type: 'string' as const, ...(pattern === undefined ? {} : { pattern }) },
  ...(example === undefined ? {} : { example }),
});

/** @returns the description of a request's header, which the handler reads itself. By default, each request needs it */
export const requestHeader = (name: string, description: string, options: HeaderOptions = {}) => ({
  name,
  in: 'header' as const,
  ...header(description, options),
});

/** The headers of an answer to what was accepted. */
export const LOCATION = header('Where to look for the outcome');
export const RETRY_AFTER = header('When to look, in seconds');
export const IDEMPOTENCY_REPLAYED = header('`true` when this repeats an earlier answer', { required: false });
