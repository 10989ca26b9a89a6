import { BotError } from '../../src/errors.ts';
import type { Attachment } from '../../src/event.ts';

/** Attachments are fetched from where Discord keeps them, and from nowhere else, whatever a message says. */

const discordHosts = new Set(['cdn.discordapp.com', 'media.discordapp.net']);
/** Discord tells the size beforehand; whoever sends more than that sends something else. */
const maxBytes = 25 * 1024 * 1024;

export function mayFetch(source: string, apiUrl: string | undefined): boolean {
  const url = URL.parse(source);
  if (url === null || url.username !== '' || url.password !== '') return false;
  if (apiUrl !== undefined && URL.parse(apiUrl)?.origin === url.origin) return true;
  return url.protocol === 'https:' && url.port === '' && discordHosts.has(url.hostname);
}

export function createFetch(apiUrl: string | undefined) {
  return async (attachment: Attachment, signal: AbortSignal): Promise<Uint8Array> => {
    const { source, bytes } = attachment;
    if (!mayFetch(source, apiUrl)) throw new BotError('forbidden', 'the attachment is not kept by Discord');
    if (bytes > maxBytes) throw new BotError('input', 'the attachment is too large');
    try {
      const response = await fetch(source, { signal, redirect: 'error' });
      if (!response.ok) throw new BotError('platform', `Discord answered ${response.status} for the attachment`);
      return await readAtMost(response, bytes);
    } catch (cause) {
      if (cause instanceof BotError) throw cause;
      throw new BotError('platform', 'the attachment could not be fetched', { cause });
    }
  };
}

async function readAtMost(response: Response, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > limit) throw new BotError('platform', 'the attachment is larger than Discord said');
    parts.push(part);
  }
  return Buffer.concat(parts);
}
