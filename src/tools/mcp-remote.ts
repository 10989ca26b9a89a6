import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { RemoteSpec } from './mcp-config.ts';

/** An MCP server behind an address. */
export function createRemoteTransport({ url, headers }: RemoteSpec): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers },
    fetch: fetchWithin,
    reconnectionOptions: {
      initialReconnectionDelay: 1000,
      maxReconnectionDelay: 30_000,
      reconnectionDelayGrowFactor: 2,
      maxRetries: 5,
    },
  });
}

const maxBytes = 4 << 20;

/** What answers a request has a bound; the stream of news, which is asked for with GET, has none. */
async function fetchWithin(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (response.body === null || init?.method !== 'POST') return response;
  let bytes = 0;
  const bounded = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) controller.error(new Error('the server sent more than was asked for'));
      else controller.enqueue(chunk);
    },
  });
  const { status, statusText } = response;
  return new Response(response.body.pipeThrough(bounded), { status, statusText, headers: response.headers });
}
