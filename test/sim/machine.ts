import type { IncomingMessage } from 'node:http';

/** What no request may tell: on which system, processor and runtime the program runs. */

/** May hold anything: keys, random characters, the body's kind. */
const opaque = new Set(['authorization', 'sec-websocket-key', 'content-type', 'host']);
const machineWords =
  /\b(linux|darwin|macos|win32|windows|freebsd|x64|x86_64|arm64|aarch64)\b|node(\.js)?\/|\bv?24\.\d+\.\d+/i;

/** The headers that describe the machine of whoever sent the request. */
export function machineHeaders({ headers }: IncomingMessage): string[] {
  return Object.entries(headers)
    .filter(([name, value]) => !opaque.has(name) && machineWords.test(`${name}: ${String(value)}`))
    .map(([name, value]) => `${name}: ${String(value)}`);
}
