import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { listenLocally } from '../../../src/sandbox/ports.ts';

const attribute = z.object({ key: z.string(), value: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) });

/** The part of OTLP in JSON that is read here: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
const exported = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(attribute) }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
              attributes: z.array(attribute),
            }),
          ),
        }),
      ),
    }),
  ),
});

export interface CollectedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  name: string;
  service: unknown;
  attributes: Record<string, unknown>;
}

const toRecord = (attributes: z.infer<typeof attribute>[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** Starts a collector of traces, as `OTEL_EXPORTER_OTLP_ENDPOINT` names one. */
export async function startCollector() {
  const spans: CollectedSpan[] = [];
  let received = '';
  async function take(request: IncomingMessage): Promise<void> {
    const body = await text(request);
    received += body;
    for (const { resource, scopeSpans } of exported.parse(JSON.parse(body)).resourceSpans) {
      const { 'service.name': service } = toRecord(resource.attributes);
      for (const { attributes, parentSpanId, ...span } of scopeSpans.flatMap((scope) => scope.spans)) {
        spans.push({ ...span, parentSpanId: parentSpanId || undefined, service, attributes: toRecord(attributes) });
      }
    }
  }
  const server = createServer((request, response) => {
    void take(request).then(() => response.setHeader('Content-Type', 'application/json').end('{}'));
  });
  const port = await listenLocally(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    /** @returns everything that was sent */
    received: () => received,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
