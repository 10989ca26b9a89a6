/** The methods of the Web API that are called, with the scopes each needs. */

const history = ['channels:history', 'groups:history', 'im:history', 'mpim:history'];

export const methodScopes = {
  'auth.test': [],
  'assistant.threads.setStatus': ['assistant:write'],
  'assistant.threads.setSuggestedPrompts': ['assistant:write'],
  'assistant.threads.setTitle': ['assistant:write'],
  'chat.appendStream': ['chat:write'],
  'chat.delete': ['chat:write'],
  'chat.postEphemeral': ['chat:write'],
  'chat.postMessage': ['chat:write'],
  'chat.startStream': ['chat:write'],
  'chat.stopStream': ['chat:write'],
  'chat.update': ['chat:write'],
  'conversations.history': history,
  'conversations.info': ['channels:read', 'groups:read', 'im:read', 'mpim:read'],
  'conversations.open': ['im:write'],
  'conversations.replies': history,
  'files.completeUploadExternal': ['files:write'],
  'files.getUploadURLExternal': ['files:write'],
  'users.info': ['users:read'],
  'views.publish': [],
} as const satisfies Record<string, readonly string[]>;

/** The library would tell Slack the system and the version of Node. Made anew each time: a client adds its token. */
export function requestHeaders(): Record<string, string> {
  return { 'User-Agent': 'Channelore' };
}

export type Method = keyof typeof methodScopes;
