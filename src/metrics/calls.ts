import { ApplicationFailure } from '@temporalio/common';
import { Histogram } from 'prom-client';
import { busy, INVALID_REQUEST, unavailable, type Dependency } from '../contracts/errors.ts';
import { inSpan } from '../tracing/spans.ts';

const duration = new Histogram({
  name: 'holdfast_outside_call_duration_seconds',
  help: 'How long a call to another service took, and what came of it.',
  labelNames: ['service', 'operation', 'outcome'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
});

/**
 * Measures and traces each call of a gateway that returns a promise.
 * @returns the gateway, to be used in place of the given one
 */
export const measureCalls = <Gateway extends object>(service: Dependency, gateway: Gateway): Gateway =>
  new Proxy(gateway, {
    get(target, operation, receiver) {
      const member: unknown = Reflect.get(target, operation, receiver);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        const stop = duration.startTimer({ service, operation: String(operation) });
        const name = `${service} ${String(operation)}`;
        const answer: unknown = inSpan({ name, kind: 'client' }, () => Reflect.apply(member, target, given));
        if (!(answer instanceof Promise)) return answer;
        answer.then(
          () => stop({ outcome: 'ok' }),
          (error: unknown) => stop({ outcome: outcomeOf(service, error) }),
        );
        return answer;
      };
    },
  });

type Failure = 'unavailable' | 'busy' | 'invalid_request' | 'refused' | 'error';

function outcomeOf(service: Dependency, error: unknown): Failure {
  if (!(error instanceof ApplicationFailure)) return 'error';
  if (error.type === unavailable(service)) return 'unavailable';
  if (error.type === busy(service)) return 'busy';
  return error.type === INVALID_REQUEST ? 'invalid_request' : 'refused';
}
