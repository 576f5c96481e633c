import type { OpenTelemetry } from './opentelemetry.ts';

/** A piece of work in a trace. Its name and attributes hold ids, routes and names of ours: no personal data, and no text of a caller. */
export interface SpanOptions {
  name: string;
  kind: 'server' | 'producer' | 'consumer' | 'client';
  attributes?: Record<string, string | number>;
  /** What it follows from in another process, as a `traceparent` (https://www.w3.org/TR/trace-context/). */
  parent?: string | undefined;
  /** Whether it begins a trace if it follows from nothing. Any other work is then not traced. */
  beginsTrace?: boolean;
}

let tracing: OpenTelemetry | undefined;

/**
 * Sends the spans of this process to a collector from now on, by OTLP over HTTP. The packages for it are only loaded here.
 * @param service which process it is, e.g. `holdfast-api`
 * @param endpoint of the collector, `OTEL_EXPORTER_OTLP_ENDPOINT`; undefined: nothing is traced
 */
export async function startTracing(service: string, endpoint: string | undefined): Promise<void> {
  if (endpoint === undefined) return;
  const { startOpenTelemetry } = await import('./opentelemetry.ts');
  tracing = startOpenTelemetry(service);
}

/** Sends the spans that are left. */
export async function stopTracing(): Promise<void> {
  await tracing?.close();
  tracing = undefined;
}

export const isTracing = (): boolean => tracing !== undefined;

/** Does work as a span, which ends with it. @returns what the work returns; a promise is not replaced by another */
export const inSpan = <Result>(options: SpanOptions, work: () => Result): Result =>
  tracing ? tracing.inSpan(options, work) : work();

/** Says about the present span what is only known during it. */
export const describeSpan = (about: Pick<SpanOptions, 'name' | 'attributes'> & { failed: boolean }): void => tracing?.describe(about);

/** @returns the present span, for work in another process that follows from it; undefined outside of a trace */
export const traceparent = (): string | undefined => tracing?.traceparent();
