import { Histogram } from 'prom-client';

/** Attempts of activities, local ones included: the number of observations is the number of attempts. */
export const activityDuration = new Histogram({
  name: 'holdfast_activity_attempt_duration_seconds',
  help: 'How long one attempt of an activity took. `error_type` is empty if it succeeded.',
  labelNames: ['activity', 'error_type'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
});
