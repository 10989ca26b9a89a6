/** What goes between the SDK and the network: what a server is told, and bounds on what it may send. */

import { toStreamedBody } from './image-body.ts';

/** An error's text is for the log; nobody needs more of it. */
const maxErrorBytes = 64 * 1024;

/** A streamed token costs some 300 bytes; a line that never ends must not fill the memory. */
export function maxBodyBytes(maxTokens: number): number {
  return 4 * 1024 * 1024 + maxTokens * 1024;
}

/**
 * Every request to a chat API goes through here. A redirect is not followed: it would carry the whole prompt to another
 * origin. The SDK's own headers, which describe this machine, stay here. The SDK reads the whole body of an error,
 * however long: it is cut.
 */
export async function fetchFromApi(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  for (const name of [...headers.keys()].filter((one) => one.startsWith('x-stainless-'))) headers.delete(name);
  headers.set('user-agent', 'Channelore');
  const response = await fetch(url, withImages({ ...init, headers, redirect: 'manual' }));
  if (response.ok || response.body === null) return response;
  return new Response(limitBody(response.body, maxErrorBytes, 'cut'), response);
}

/** A body with images in it goes out in pieces. */
function withImages(init: RequestInit): RequestInit {
  const streamed = typeof init.body === 'string' ? toStreamedBody(init.body) : undefined;
  if (streamed === undefined) return init;
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(streamed.headers)) headers.set(name, value);
  return { ...init, headers, body: streamed.body, duplex: 'half' };
}

export class BodyTooLarge extends Error {}

/** Ends the body at `maxBytes`: quietly, or as a failure. */
export function limitBody(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  atLimit: 'cut' | 'fail',
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let left = maxBytes;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        left -= value.length;
        if (left >= 0) return controller.enqueue(value);
        void reader.cancel().catch(() => {}); // It is given up; how that ends concerns nobody.
        if (atLimit === 'fail') throw new BodyTooLarge('the body is larger than any answer could be');
        controller.enqueue(value.subarray(0, value.length + left));
        controller.close();
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
