import { context, propagation, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { SpanOptions } from './spans.ts';

export type OpenTelemetry = ReturnType<typeof startOpenTelemetry>;

const KINDS: Record<SpanOptions['kind'], SpanKind> = {
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
};

/**
 * Starts OpenTelemetry. Its packages read the rest of the standard variables themselves (`OTEL_EXPORTER_OTLP_HEADERS`,
 * `OTEL_TRACES_SAMPLER`, …): https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function startOpenTelemetry(service: string) {
  const provider = new NodeTracerProvider({
    // Without the detectors of the packages, which would tell the command line and the host.
    resource: resourceFromAttributes({ 'service.name': process.env['OTEL_SERVICE_NAME'] || service }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  const tracer = provider.getTracer('holdfast');

  return {
    inSpan<Result>({ name, kind, attributes = {}, parent, beginsTrace = false }: SpanOptions, work: () => Result): Result {
      // Not the `tracestate` that may come with it: it is text of the caller.
      const around = parent === undefined ? context.active() : propagation.extract(context.active(), { traceparent: parent });
      if (!beginsTrace && trace.getSpan(around) === undefined) return work();
      return tracer.startActiveSpan(name, { kind: KINDS[kind], attributes }, around, (span) => untilEnd(span, work));
    },

    describe({ name, attributes = {}, failed }: Pick<SpanOptions, 'name' | 'attributes'> & { failed: boolean }): void {
      const span = trace.getActiveSpan();
      span?.updateName(name).setAttributes(attributes);
      if (failed) span?.setStatus({ code: SpanStatusCode.ERROR });
    },

    traceparent(): string | undefined {
      const carrier: { traceparent?: string } = {};
      propagation.inject(context.active(), carrier);
      return carrier.traceparent;
    },

    async close(): Promise<void> {
      await provider.shutdown();
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}

function untilEnd<Result>(span: Span, work: () => Result): Result {
  try {
    const result = work();
    if (result instanceof Promise) {
      result.then(
        () => span.end(),
        (error: unknown) => fail(span, error),
      );
    } else span.end();
    return result;
  } catch (error) {
    fail(span, error);
    throw error;
  }
}

/** Not with its message: it may repeat what someone has written. */
function fail(span: Span, error: unknown): void {
  const type = error instanceof Error ? ('type' in error && typeof error.type === 'string' ? error.type : error.name) : 'unknown';
  span.setAttribute('error.type', type).setStatus({ code: SpanStatusCode.ERROR }).end();
}
