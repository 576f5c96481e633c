import { Gauge } from 'prom-client';

const streams = new Gauge({
  name: 'holdfast_event_streams',
  help: 'Event streams that are open, of the API and of the operator’s page.',
});

/** Counts an event stream as open while it is written. @param write rejects or resolves when the stream has ended */
export async function countStream(write: () => Promise<void>): Promise<void> {
  streams.inc();
  try {
    await write();
  } finally {
    streams.dec();
  }
}
