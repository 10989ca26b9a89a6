/** What goes between the SDK and the network: bounds, and one form for the errors of every server. */

/** An error's text is for the log; nobody needs more of it. */
const maxErrorBytes = 64 * 1024;

/** A streamed token costs some 300 bytes; a line that never ends must not fill the memory. */
export function maxBodyBytes(maxTokens: number): number {
  return 4 * 1024 * 1024 + maxTokens * 1024;
}

/**
 * `fetch`, with the bodies of errors bounded and brought into OpenAI's form: the SDK looks only into `error`, while
 * FastAPI servers say `detail` and older vLLM puts everything at the top, so that code and parameter would be lost.
 */
export async function fetchWithReadableErrors(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (response.ok || response.body === null) return response;
  const text = await new Response(limitBody(response.body, maxErrorBytes, 'cut')).text();
  const { status, headers } = response;
  return new Response(toErrorBody(text), { status, headers: withoutLength(headers) });
}

function toErrorBody(text: string): string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return text;
  }
  // Gemini wraps its error in a list.
  if (Array.isArray(body)) body = body[0];
  const hasError = typeof body === 'object' && body !== null && 'error' in body && body.error !== null;
  return JSON.stringify(hasError ? body : { error: body });
}

function withoutLength(headers: Headers): Headers {
  const copy = new Headers(headers);
  for (const name of ['content-length', 'content-encoding', 'transfer-encoding']) copy.delete(name);
  return copy;
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
