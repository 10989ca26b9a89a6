import type { LiveReader } from './live.ts';

/** Takes from the reader only when the browser has taken what came before: one that does not read holds nothing up. */
export function toEventStream(reader: LiveReader): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = await reader.next();
        if (text !== undefined) return controller.enqueue(encoder.encode(text));
        reader.end();
        controller.close();
      },
      cancel: () => reader.end(),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: eventStreamHeaders });
}

/** Between here and the browser nobody is to hold the stream back or pack it. */
export const eventStreamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};
