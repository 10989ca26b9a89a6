import { createHash } from 'node:crypto';

/** Names a channel to the provider's prompt cache without telling which it is. */
export function cacheKey(channel: string, purpose: string): string {
  return createHash('sha256').update(`${purpose} ${channel}`).digest('hex').slice(0, 24);
}
