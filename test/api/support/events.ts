import { expectEventAsDocumented } from './contract.ts';

/** What an event stream sends: one entry for each event, with its fields. */
export type ServerSentEvent = Record<string, string>;

/**
 * Follows an event stream over a real socket.
 * @param signal ends it
 */
export async function* readEvents(
  url: string,
  headers: Record<string, string>,
  signal?: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  const response = await fetch(url, { headers, ...(signal ? { signal } : {}) });
  if (!response.body) return;
  let buffer = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    buffer += chunk;
    const blocks = buffer.split('\n\n');
    buffer = blocks.pop() ?? '';
    for (const block of blocks) {
      const event: ServerSentEvent = Object.fromEntries(
        block.split('\n').map((line) => {
          const at = line.indexOf(': ');
          return [line.slice(0, at), line.slice(at + 2)];
        }),
      );
      expectEventAsDocumented(event);
      yield event;
    }
  }
}
