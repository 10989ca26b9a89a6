import { RESTJSONErrorCodes as Codes, DiscordAPIError, HTTPError } from 'discord.js';
import { BotError } from '../../src/errors.ts';

/** What Discord says no with, in the few words that make a difference here. */
export type Trouble =
  | 'passing' // trying again helps
  | 'message-gone'
  | 'question-gone'
  | 'channel-gone'
  | 'forbidden'
  | 'archived'
  | 'expired' // an interaction is too old to be answered
  | 'closed' // the person takes no direct messages
  | 'unauthorized'
  | 'other';

const byCode = new Map<number | string, Trouble>([
  [Codes.UnknownMessage, 'message-gone'],
  [Codes.UnknownChannel, 'channel-gone'],
  [Codes.UnknownGuild, 'channel-gone'],
  [Codes.MissingAccess, 'forbidden'],
  [Codes.MissingPermissions, 'forbidden'],
  [Codes.ThreadLocked, 'archived'],
  [Codes.InvalidActionOnArchivedThread, 'archived'],
  [Codes.UnknownInteraction, 'expired'],
  [Codes.UnknownWebhook, 'expired'],
  [Codes.InvalidWebhookToken, 'expired'],
  [Codes.CannotSendMessagesToThisUser, 'closed'],
  [Codes.CannotSendMessagesToThisUserDueToHavingNoMutualGuilds, 'closed'],
]);

export function troubleOf(error: unknown): Trouble {
  if (error instanceof HTTPError) return 'passing';
  if (!(error instanceof DiscordAPIError)) return isWire(error) ? 'passing' : 'other';
  if (error.status === 401 && error.code !== Codes.InvalidWebhookToken) return 'unauthorized';
  const isReply = 'errors' in error.rawError && 'message_reference' in Object(error.rawError.errors);
  if (error.code === Codes.InvalidFormBodyOrContentType && isReply) return 'question-gone';
  return byCode.get(error.code) ?? 'other';
}

/** What fetch throws when the connection breaks or takes too long. */
function isWire(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isNetwork = 'code' in error && typeof error.code === 'string' && /^(E[A-Z]+|UND_ERR_\w+)$/.test(error.code);
  return error.name === 'AbortError' || error.name === 'TypeError' || isNetwork || isWire(error.cause);
}

const words: Record<Trouble, string> = {
  passing: 'Discord cannot be reached just now',
  'message-gone': 'my message there was deleted',
  'question-gone': 'the message I was to answer is gone',
  'channel-gone': 'the channel is gone',
  forbidden:
    'I may not write there: I need the permissions View Channel, Send Messages (in threads: Send Messages in Threads) and Read Message History',
  archived: 'the thread is archived or locked',
  expired: 'Discord no longer takes an answer to this command',
  closed: 'direct messages are closed to me',
  unauthorized: 'Discord no longer accepts my token',
  other: 'Discord refused what I sent',
};

/** What passes is worth another attempt after a while; nothing else is. */
const passesInMs = 5000;

export function toPlatformError(error: unknown, now: number): BotError {
  const trouble = troubleOf(error);
  const again = trouble === 'passing' ? { retryAt: now + passesInMs } : {};
  return new BotError('platform', words[trouble], { cause: error, ...again });
}
