import { Stripe } from 'stripe';
import { z } from 'zod';

/** The code of an answer that the provider has not given, e.g. the error page of a proxy. */
export const NOT_OF_THE_PROVIDER = 'not_of_the_provider';

const errorSchema = z.object({ error: z.looseObject({}) });
const objectSchema = z.object({ object: z.string() });

type Client = ReturnType<typeof Stripe.createNodeHttpClient>;

/**
 * The HTTP client of Stripe's library, which would forget the status of an answer that is not JSON, and take any JSON without an
 * `error` for success. Here, both become errors of the code `NOT_OF_THE_PROVIDER`, with the status and headers of the answer.
 */
export function createStripeHttpClient(): Client {
  const client = Stripe.createNodeHttpClient();
  return {
    getClientName: () => client.getClientName(),
    async makeRequest(...request) {
      const response = await client.makeRequest(...request);
      const status = response.getStatusCode();
      const read = response.toJSON.bind(response);
      response.toJSON = async () => {
        const answer: unknown = await read().catch((error: unknown) => {
          // Otherwise the connection has ended within the answer. Of an error, its status says enough.
          if (error instanceof SyntaxError || status >= 400) return undefined;
          throw error;
        });
        const expected = status < 400 ? objectSchema : errorSchema;
        return expected.safeParse(answer).success ? answer : { error: { type: 'api_error', code: NOT_OF_THE_PROVIDER } };
      };
      return response;
    },
  };
}
