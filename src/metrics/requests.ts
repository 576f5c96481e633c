import { Histogram } from 'prom-client';

/** Requests by the route that answered, never by their path: ids would make a series for each order. */
export const requestDuration = new Histogram({
  name: 'holdfast_http_request_duration_seconds',
  help: 'From the request to the begin of the answer.',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});
