import { webApi } from '@slack/bolt';
import { BotError } from '../../src/errors.ts';

/** What Slack says no with, in the few words that make a difference here. */
const troubles = [
  'passing', // trying again helps
  'limited', // trying again helps when it says so
  'message-gone',
  'channel-gone',
  'thread-gone', // what it hangs from was deleted
  'not-joined',
  'forbidden',
  'archived',
  'unauthorized',
  'scope',
  'stream-over',
  'streaming', // it cannot be edited while it is streamed
  'other',
] as const;

export type Trouble = (typeof troubles)[number];

/** By the names Slack gives its errors. */
const errors: Partial<Record<Trouble, string>> = {
  passing: 'internal_error fatal_error service_unavailable request_timeout team_added_to_org timeout',
  limited: 'ratelimited rate_limited message_limit_exceeded',
  'message-gone': 'message_not_found cant_update_message cant_delete_message edit_window_closed',
  'channel-gone': 'channel_not_found user_not_found user_disabled cannot_dm_bot',
  'thread-gone': 'thread_not_found',
  'not-joined': 'not_in_channel user_not_in_channel no_permission',
  forbidden:
    'restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel ' +
    'restricted_action_non_threadable_channel restricted_action_thread_locked access_denied ' +
    'cannot_reply_to_message as_user_not_supported ekm_access_denied messages_tab_disabled',
  archived: 'is_archived',
  unauthorized:
    'invalid_auth not_authed token_revoked token_expired account_inactive user_removed_from_team team_disabled ' +
    'org_login_required not_allowed_token_type',
  scope: 'missing_scope no_scope',
  'stream-over': 'message_not_in_streaming_state',
  streaming: 'streaming_state_conflict',
};

function byName(name: string): Trouble {
  for (const trouble of troubles) if (errors[trouble]?.split(' ').includes(name)) return trouble;
  return 'other';
}

export function troubleOf(error: unknown): Trouble {
  if (error instanceof webApi.WebAPIRateLimitedError) return 'limited';
  if (error instanceof webApi.WebAPIRequestError) return 'passing';
  if (error instanceof webApi.WebAPIHTTPError)
    return error.statusCode >= 500 || error.statusCode === 408 ? 'passing' : 'other';
  if (error instanceof webApi.WebAPIPlatformError) return byName(error.data.error);
  return 'other';
}

/** In seconds, where Slack says it. */
export function retryAfterMs(error: unknown): number | undefined {
  return error instanceof webApi.WebAPIRateLimitedError ? error.retryAfter * 1000 : undefined;
}

/** The error's name as Slack spells it. */
export function errorName(error: unknown): string | undefined {
  return error instanceof webApi.WebAPIPlatformError ? error.data.error : undefined;
}

/** The scopes that a call would have needed. */
export function neededScopes(error: unknown): string | undefined {
  if (!(error instanceof webApi.WebAPIPlatformError)) return undefined;
  const { needed } = { needed: undefined, ...error.data };
  return typeof needed === 'string' ? needed : undefined;
}

const words: Record<Trouble, string> = {
  passing: 'Slack cannot be reached just now',
  limited: 'Slack asks me to slow down',
  'message-gone': 'my message there was deleted',
  'channel-gone': 'the channel is gone, or I cannot see it',
  'thread-gone': 'the message I was to answer was deleted',
  'not-joined': 'I am not in that channel: invite me with /invite, and ask again',
  forbidden: 'I may not write there: a workspace admin has restricted who may post',
  archived: 'the channel is archived',
  unauthorized: 'Slack no longer accepts my token',
  scope: 'my Slack app lacks a permission: add the missing scope and install the app again',
  'stream-over': 'Slack has ended the stream',
  streaming: 'the message is still being streamed',
  other: 'Slack refused what I sent',
};

/** What passes is worth another attempt after a while; nothing else is. */
const passesInMs = 5000;

export function toPlatformError(error: unknown, now: number): BotError {
  if (error instanceof BotError) return error;
  const trouble = troubleOf(error);
  const waitMs = trouble === 'limited' ? (retryAfterMs(error) ?? passesInMs) : passesInMs;
  const again = ['passing', 'limited', 'streaming', 'stream-over'].includes(trouble) ? { retryAt: now + waitMs } : {};
  const scope = trouble === 'scope' ? neededScopes(error) : undefined;
  const text = scope === undefined ? words[trouble] : `${words[trouble]} (${scope})`;
  return new BotError('platform', text, { cause: error, ...again });
}
