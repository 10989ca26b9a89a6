import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import path from 'node:path';

/** A small reverse proxy that sends the headers its configuration names, and holds nothing back. */

export interface Proxy {
  url: string;
  close(): Promise<void>;
}

interface ProxyOptions {
  to: string;
  /** Whom it says a request came from. */
  client: string;
  /** `proxy_set_header` lines, name and value. */
  headers: readonly (readonly [string, string])[];
}

/** As nginx does it where nothing is said: the name of what is behind it, and its own mark. */
export const bareNginx: ProxyOptions['headers'] = [
  ['Host', '$proxy_host'],
  ['X-Forwarded-For', '$remote_addr'],
];

/** What the documentation tells operators to write. */
export function documentedNginx(): ProxyOptions['headers'] {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/proxy.md'), 'utf8');
  const lines = text.matchAll(/^\s*proxy_set_header (\S+) "?([^";]*)"?;$/gm);
  return [...lines].map(([, name = '', value = '']) => [name, value]);
}

/** Caddy's own: everything about the client is written anew. */
export const caddy: ProxyOptions['headers'] = [
  ['Host', '$host'],
  ['X-Forwarded-For', '$remote_addr'],
  ['X-Forwarded-Proto', '$scheme'],
  ['X-Forwarded-Host', '$host'],
];

export const publicHost = 'bot.example.org';

export async function startProxy({ to, client, headers }: ProxyOptions): Promise<Proxy> {
  const { hostname, port, host } = new URL(to);
  const server = createServer((incoming, response) => {
    const given = { $remote_addr: client, $scheme: 'https', $host: publicHost, $proxy_host: host };
    const call = request(
      {
        hostname,
        port,
        method: incoming.method,
        path: incoming.url,
        headers: toHeaders(incoming, given),
        agent: false,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    call.on('error', () => response.destroy());
    response.on('close', () => call.destroy());
    incoming.pipe(call);
  });

  function toHeaders(incoming: IncomingMessage, values: Record<string, string>): Record<string, string | string[]> {
    const sent: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(incoming.headers)) if (value !== undefined) sent[name] = value;
    const before = incoming.headers['x-forwarded-for'];
    const chain = before === undefined ? client : `${String(before)}, ${client}`;
    for (const [name, value] of headers) {
      const filled = value.replace(/\$\w+/g, (one) =>
        one === '$proxy_add_x_forwarded_for' ? chain : (values[one] ?? one),
      );
      // As nginx does: what is set to nothing is not sent.
      if (filled === '') delete sent[name.toLowerCase()];
      else sent[name.toLowerCase()] = filled;
    }
    return sent;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const own = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${own}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
