import { BotError } from '../../src/errors.ts';
import type { Attachment } from '../../src/event.ts';
import type { Hosts } from './hosts.ts';

/** Files are fetched with the bot's token, which nobody but Slack may see. */

/** Slack tells the size beforehand; whoever sends more than that sends something else. */
const maxBytes = 25 * 1024 * 1024;

export function createFetch(hosts: Hosts, token: string) {
  return async ({ source, bytes, mime }: Attachment, signal: AbortSignal): Promise<Uint8Array> => {
    if (!hosts.isFile(source)) throw new BotError('forbidden', 'the file is not kept by Slack');
    if (bytes > maxBytes) throw new BotError('input', 'the file is too large');
    try {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(source, { signal, redirect: 'error', headers });
      if (!response.ok) throw new BotError('platform', `Slack answered ${response.status} for the file`);
      const type = response.headers.get('content-type') ?? '';
      // Whoever lacks files:read is shown a page to sign in.
      if (type.startsWith('text/html') && !mime.startsWith('text/html')) {
        throw new BotError('platform', 'Slack did not give the file: the app needs the scope files:read');
      }
      return await readAtMost(response, bytes);
    } catch (cause) {
      if (cause instanceof BotError) throw cause;
      throw new BotError('platform', 'the file could not be fetched', { cause });
    }
  };
}

async function readAtMost(response: Response, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > limit) throw new BotError('platform', 'the file is larger than Slack said');
    parts.push(part);
  }
  return Buffer.concat(parts);
}
