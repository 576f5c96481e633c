import { z } from 'zod';

const problemSchema = z.object({
  title: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).default([]),
});

/** A problem that the API answered with. Its message is for people. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** A request to the API. With a body it is a POST. */
export interface ApiRequest {
  path: string;
  key: string;
  body?: object;
  idempotencyKey?: string;
  headers?: Record<string, string>;
}

/**
 * Sends a request to the API, and returns its answer, whatever it is.
 * @throws ApiProblem if there is none
 */
export async function requestApi(apiUrl: string, { path, key, body, idempotencyKey, headers }: ApiRequest): Promise<Response> {
  try {
    return await fetch(new URL(path, apiUrl), {
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${key}`,
        ...(body && { 'content-type': 'application/json' }),
        ...(idempotencyKey && { 'idempotency-key': idempotencyKey }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new ApiProblem(503, 'The API does not answer.', { cause: error });
  }
}

/**
 * Calls the API.
 * @returns what it answered, read by the schema
 * @throws ApiProblem if it refuses
 */
export async function callApi<Answer>(apiUrl: string, request: ApiRequest, schema: z.ZodType<Answer>): Promise<Answer> {
  const response = await requestApi(apiUrl, request);
  const answer: unknown = await response.json();
  if (response.ok) return schema.parse(answer);
  const { data: problem } = problemSchema.safeParse(answer);
  if (!problem) throw new ApiProblem(response.status, `The API answered ${response.status}.`);
  const fields = problem.errors.map(({ pointer, detail }) => `${pointer.split('/').at(-1)} ${detail}`);
  throw new ApiProblem(response.status, [`${problem.title}.`, fields.length > 0 ? `${fields.join(', ')}.` : problem.detail].join(' '));
}
