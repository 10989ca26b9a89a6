import { type Message, type Place, textOf, toRecord, type World } from './slack-world.ts';

/** The Web API's methods, with the arguments, scopes and errors of the real ones. */

export type Arguments = Record<string, unknown>;
export type Result = { ok: true; [name: string]: unknown } | { ok: false; error: string; [name: string]: unknown };

interface Upload {
  name: string;
  body: string;
  bytes: Uint8Array;
}

export interface MethodState {
  world: World;
  now(): number;
  /** How long a stream lives. */
  streamMs: number;
  emit(event: Record<string, unknown>): void;
  ephemerals: { channel: string; user: string; thread: string | undefined; message: Message }[];
  statuses: { channel: string; thread: string; status: string }[];
  titles: Map<string, string>;
  prompts: Map<string, unknown>;
  homes: Map<string, unknown>;
  uploads: Map<string, Upload>;
  shared: ({ channel: string; thread: string | undefined } & Upload)[];
  origin(): string;
}

export const scopes: Record<string, readonly string[]> = {
  'auth.test': [],
  'chat.postMessage': ['chat:write'],
  'chat.postEphemeral': ['chat:write'],
  'chat.update': ['chat:write'],
  'chat.delete': ['chat:write'],
  'chat.startStream': ['chat:write'],
  'chat.appendStream': ['chat:write'],
  'chat.stopStream': ['chat:write'],
  'conversations.replies': ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  'conversations.history': ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  'conversations.info': ['channels:read', 'groups:read', 'im:read', 'mpim:read'],
  'conversations.open': ['im:write'],
  'users.info': ['users:read'],
  'assistant.threads.setStatus': ['assistant:write'],
  'assistant.threads.setTitle': ['assistant:write'],
  'assistant.threads.setSuggestedPrompts': ['assistant:write'],
  'views.publish': [],
  'files.getUploadURLExternal': ['files:write'],
  'files.completeUploadExternal': ['files:write'],
};

const maxMarkdown = 12_000;
const maxBlocks = 50;
const maxSection = 3000;
/** Others stand in messages only: `markdown` and `table` do. */
const viewBlocks = ['actions', 'context', 'divider', 'header', 'image', 'input', 'rich_text', 'section', 'video'];

const fail = (error: string, more: object = {}): Result => ({ ok: false, error, ...more });

export function perform(state: MethodState, method: string, given: Arguments): Result {
  const run = methods[method];
  return run === undefined ? fail('unknown_method') : run(state, given);
}

type Method = (state: MethodState, given: Arguments) => Result;

const text = (given: Arguments, name: string): string => (typeof given[name] === 'string' ? given[name] : '');

function placeOf({ world }: MethodState, given: Arguments, name = 'channel'): Place | Result {
  const place = world.places.get(text(given, name));
  if (place === undefined) return fail('channel_not_found');
  if (!place.members.has(world.bot.id)) return fail(place.kind === 'channel' ? 'not_in_channel' : 'channel_not_found');
  return place.archived ? fail('is_archived') : place;
}

const isResult = (value: object): value is Result => 'ok' in value;

function contentProblem(given: Arguments): Result | undefined {
  const blocks = given.blocks === undefined ? [] : given.blocks;
  if (!Array.isArray(blocks) || blocks.length > maxBlocks) return fail('invalid_blocks');
  const markdown = blocks.map(toRecord).filter((block) => block.type === 'markdown');
  if (markdown.some((block) => typeof block.text !== 'string' || block.text === '')) return fail('invalid_blocks');
  if (textOf({ text: '', blocks }).length > maxMarkdown) return fail('msg_blocks_too_long');
  if (text(given, 'markdown_text').length > maxMarkdown) return fail('msg_too_long');
  if (text(given, 'text').length > 40_000) return fail('msg_too_long');
  const buttons = blocks.flatMap((block) => {
    const { type, elements } = toRecord(block);
    return type === 'actions' && Array.isArray(elements) ? elements.map(toRecord) : [];
  });
  const ids = buttons.map((button) => button.action_id);
  if (new Set(ids).size !== ids.length) return fail('invalid_blocks');
  if (buttons.some((button) => String(button.value).length > 2000)) return fail('invalid_blocks');
  if (buttons.some((button) => String(toRecord(button.text).text).length > 75)) return fail('invalid_blocks');
  if (blocks.map(toRecord).some((block) => text(block, 'block_id').length > 255)) return fail('invalid_blocks');
  return undefined;
}

function toMessage({ world }: MethodState, given: Arguments): Message {
  const thread = text(given, 'thread_ts');
  const { blocks, metadata } = given;
  return {
    type: 'message',
    ts: world.newTs(),
    user: world.bot.id,
    bot_id: world.bot.botId,
    app_id: world.bot.appId,
    team: world.team,
    text: text(given, 'text') || text(given, 'markdown_text'),
    ...(thread === '' ? {} : { thread_ts: thread }),
    ...(Array.isArray(blocks) ? { blocks } : {}),
    ...(metadata === undefined ? {} : { metadata: metadata as NonNullable<Message['metadata']> }),
  };
}

const isEmpty = (given: Arguments): boolean =>
  text(given, 'text') === '' && text(given, 'markdown_text') === '' && given.blocks === undefined;

/** What `chunks` says, as text and blocks. */
function chunksOf(given: Arguments): { text: string; blocks: unknown[] } | Result {
  const list = given.chunks ?? [];
  if (!Array.isArray(list)) return fail('invalid_chunks');
  if (list.length > 0 && text(given, 'markdown_text') !== '') return fail('markdown_text_and_chunks_conflict');
  const parts = list.map(toRecord);
  if (parts.some(({ type }) => type !== 'markdown_text' && type !== 'blocks')) return fail('invalid_chunks');
  const added = parts.map((part) => (part.type === 'markdown_text' ? String(part.text) : '')).join('');
  return {
    text: text(given, 'markdown_text') + added,
    blocks: parts.flatMap((part) => (Array.isArray(part.blocks) ? part.blocks : [])),
  };
}

/** The stream's message; closed by Slack when it has lived long enough. */
function streamOf(state: MethodState, given: Arguments): Message | Result {
  const { world } = state;
  const place = placeOf(state, given);
  if (isResult(place)) return place;
  const message = world.find(place.id, text(given, 'ts'));
  const stream = world.streams.get(text(given, 'ts'));
  if (message === undefined) return fail('message_not_found');
  if (stream === undefined) return fail('message_not_in_streaming_state');
  if (state.now() - stream.startedAt <= state.streamMs) return message;
  world.streams.delete(message.ts);
  return fail('message_not_in_streaming_state');
}

const methods: Record<string, Method> = {
  'auth.test': ({ world }) => ({
    ok: true,
    url: 'https://sim.slack.com/',
    team: 'Sim',
    team_id: world.team,
    user: world.bot.name,
    user_id: world.bot.id,
    bot_id: world.bot.botId,
  }),

  'chat.postMessage'(state, given) {
    const place = placeOf(state, given);
    if (isResult(place)) return place;
    if (isEmpty(given)) return fail('no_text');
    const problem = contentProblem(given);
    if (problem !== undefined) return problem;
    const message = state.world.add(place.id, toMessage(state, given));
    state.emit({ ...message, channel: place.id, channel_type: place.kind, event_ts: message.ts });
    return { ok: true, channel: place.id, ts: message.ts, message };
  },

  'chat.postEphemeral'(state, given) {
    const place = placeOf(state, given);
    if (isResult(place)) return place;
    if (isEmpty(given)) return fail('no_text');
    const problem = contentProblem(given);
    if (problem !== undefined) return problem;
    const user = text(given, 'user');
    if (!state.world.people.has(user)) return fail('user_not_in_channel');
    const message = toMessage(state, given);
    state.ephemerals.push({ channel: place.id, user, thread: message.thread_ts, message });
    return { ok: true, message_ts: message.ts };
  },

  'chat.update'(state, given) {
    const place = placeOf(state, given);
    if (isResult(place)) return place;
    const message = state.world.find(place.id, text(given, 'ts'));
    if (message === undefined) return fail('message_not_found');
    if (message.user !== state.world.bot.id) return fail('cant_update_message');
    const stream = state.world.streams.get(message.ts);
    if (stream !== undefined && state.now() - stream.startedAt <= state.streamMs)
      return fail('streaming_state_conflict');
    if (isEmpty(given)) return fail('no_text');
    const problem = contentProblem(given);
    if (problem !== undefined) return problem;
    // Slack had ended it for its age.
    state.world.streams.delete(message.ts);
    const previous = { ...message };
    const { blocks, metadata } = given;
    message.text = text(given, 'text') || text(given, 'markdown_text');
    message.blocks = Array.isArray(blocks) ? blocks : [];
    if (metadata !== undefined) message.metadata = metadata as NonNullable<Message['metadata']>;
    changed(state, place, message, previous);
    return { ok: true, channel: place.id, ts: message.ts, text: message.text, message };
  },

  'chat.delete'(state, given) {
    const place = placeOf(state, given);
    if (isResult(place)) return place;
    const ts = text(given, 'ts');
    const message = state.world.find(place.id, ts);
    if (message === undefined) return fail('message_not_found');
    if (message.user !== state.world.bot.id) return fail('cant_delete_message');
    state.world.remove(place.id, ts);
    state.world.streams.delete(ts);
    const base = { type: 'message', subtype: 'message_deleted', channel: place.id, channel_type: place.kind };
    state.emit({ ...base, deleted_ts: ts, previous_message: message, ts: state.world.newTs(), hidden: true });
    return { ok: true, channel: place.id, ts };
  },

  'chat.startStream'(state, given) {
    const { world } = state;
    const place = placeOf(state, given);
    if (isResult(place)) return place;
    if (text(given, 'thread_ts') === '') return fail('invalid_thread_ts');
    if (given.metadata !== undefined) return fail('invalid_arguments');
    const user = text(given, 'recipient_user_id');
    if (place.kind !== 'im' && user === '') return fail('missing_recipient_user_id');
    if (place.kind !== 'im' && text(given, 'recipient_team_id') === '') return fail('missing_recipient_team_id');
    const chunks = chunksOf(given);
    if (isResult(chunks)) return chunks;
    const problem = contentProblem({ markdown_text: chunks.text, blocks: chunks.blocks });
    if (problem !== undefined) return problem;
    const message = toMessage(state, { thread_ts: given.thread_ts, text: chunks.text, blocks: chunks.blocks });
    world.add(place.id, message);
    world.streams.set(message.ts, { startedAt: state.now(), user });
    state.emit({ ...message, channel: place.id, channel_type: place.kind, event_ts: message.ts });
    return { ok: true, channel: place.id, ts: message.ts };
  },

  'chat.appendStream'(state, given) {
    const message = streamOf(state, given);
    if (isResult(message)) return message;
    const chunks = chunksOf(given);
    if (isResult(chunks)) return chunks;
    if (chunks.text === '' && chunks.blocks.length === 0) return fail('no_text');
    if (chunks.text.length > maxMarkdown) return fail('msg_too_long');
    message.text += chunks.text;
    return { ok: true, channel: given.channel, ts: message.ts };
  },

  'chat.stopStream'(state, given) {
    const message = streamOf(state, given);
    if (isResult(message)) return message;
    const problem = contentProblem(given);
    if (problem !== undefined) return problem;
    message.text += text(given, 'markdown_text');
    if (Array.isArray(given.blocks)) message.blocks = [...(message.blocks ?? []), ...given.blocks];
    if (given.metadata !== undefined) message.metadata = given.metadata as NonNullable<Message['metadata']>;
    state.world.streams.delete(message.ts);
    return { ok: true, channel: given.channel, ts: message.ts, message };
  },

  'conversations.replies'(state, given) {
    const place = placeOf(state, given);
    if (isResult(place) && place.error !== 'is_archived') return place;
    const id = text(given, 'channel');
    const thread = text(given, 'ts');
    const found = state.world.inPlace(id).filter((one) => one.ts === thread || one.thread_ts === thread);
    if (found.length === 0) return fail('thread_not_found');
    return page(given, found);
  },

  'conversations.history'(state, given) {
    const place = placeOf(state, given);
    if (isResult(place) && place.error !== 'is_archived') return place;
    const found = state.world.inPlace(text(given, 'channel')).filter((one) => !state.world.isInThread(one));
    return page(given, found, true);
  },

  'conversations.info'({ world }, given) {
    const place = world.places.get(text(given, 'channel'));
    if (place === undefined) return fail('channel_not_found');
    const { id, name, kind } = place;
    return { ok: true, channel: { id, name, is_im: kind === 'im', is_mpim: kind === 'mpim' } };
  },

  'conversations.open'({ world }, given) {
    const user = text(given, 'users');
    if (!world.people.has(user)) return fail('user_not_found');
    return { ok: true, channel: { id: world.im(user).id } };
  },

  'users.info'({ world }, given) {
    const id = text(given, 'user');
    const person = world.people.get(id);
    if (id === world.bot.id) return { ok: true, user: { id, name: world.bot.name, is_bot: true, profile: {} } };
    if (person === undefined) return fail('user_not_found');
    const { name, admin, team } = person;
    const profile = { display_name: name, real_name: `${name} Real` };
    const user = { id, team_id: team, name: name.toLowerCase(), real_name: `${name} Real`, profile };
    return { ok: true, user: { ...user, is_admin: admin, is_owner: false, is_bot: false } };
  },

  'assistant.threads.setStatus'({ statuses }, given) {
    const [channel, thread, status] = [text(given, 'channel_id'), text(given, 'thread_ts'), text(given, 'status')];
    if (thread === '' || typeof given.status !== 'string') return fail('invalid_arguments');
    statuses.push({ channel, thread, status });
    return { ok: true };
  },

  'assistant.threads.setTitle'({ titles }, given) {
    if (text(given, 'title') === '') return fail('invalid_arguments');
    titles.set(text(given, 'thread_ts'), text(given, 'title'));
    return { ok: true };
  },

  'assistant.threads.setSuggestedPrompts'({ prompts }, given) {
    if (!Array.isArray(given.prompts) || given.prompts.length > 4) return fail('invalid_arguments');
    prompts.set(text(given, 'thread_ts'), given.prompts);
    return { ok: true };
  },

  'views.publish'(state, given) {
    const view = toRecord(given.view);
    if (view.type !== 'home') return fail('invalid_arguments');
    const blocks = Array.isArray(view.blocks) ? view.blocks.map(toRecord) : [];
    if (blocks.some(({ type }) => !viewBlocks.includes(String(type)))) return fail('invalid_arguments');
    const texts = blocks.map((block) => text(toRecord(block.text), 'text'));
    if (texts.some((one) => one.length > maxSection)) return fail('invalid_arguments');
    const problem = contentProblem({ blocks: view.blocks });
    if (problem !== undefined) return problem;
    state.homes.set(text(given, 'user_id'), view);
    return { ok: true, view };
  },

  'files.getUploadURLExternal'(state, given) {
    const id = state.world.newId('F');
    if (text(given, 'filename') === '' || given.length === undefined) return fail('invalid_arguments');
    state.uploads.set(id, { name: text(given, 'filename'), body: '', bytes: new Uint8Array() });
    return { ok: true, file_id: id, upload_url: `${state.origin()}/upload/${id}` };
  },

  'files.completeUploadExternal'(state, given) {
    const files = Array.isArray(given.files) ? given.files.map(toRecord) : [];
    for (const { id } of files) {
      const file = state.uploads.get(String(id));
      if (file === undefined) return fail('file_not_found');
      state.shared.push({ channel: text(given, 'channel_id'), thread: text(given, 'thread_ts') || undefined, ...file });
    }
    return { ok: true, files };
  },
};

function changed(state: MethodState, place: Place, message: Message, previous: Message): void {
  const base = { type: 'message', subtype: 'message_changed', hidden: true, ts: state.world.newTs() };
  state.emit({ ...base, channel: place.id, channel_type: place.kind, message, previous_message: previous });
}

function page(given: Arguments, found: readonly Message[], newestFirst = false): Result {
  const oldest = Number(given.oldest ?? 0);
  const latest = Number(given.latest ?? Number.POSITIVE_INFINITY);
  const isAllowed = ({ ts }: Message): boolean => Number(ts) > oldest && Number(ts) < latest;
  const withMetadata = String(given.include_all_metadata) === 'true';
  const parent = newestFirst ? [] : found.slice(0, 1);
  const rest = found.filter((one) => isAllowed(one) && !parent.includes(one));
  const shown = [...parent, ...(newestFirst ? rest.toReversed() : rest)].map(({ metadata, ...one }) =>
    withMetadata && metadata !== undefined ? { ...one, metadata } : one,
  );
  const limit = Math.max(1, Number(given.limit ?? 100));
  const from = Number(given.cursor ?? 0);
  const next = from + limit < shown.length ? { next_cursor: String(from + limit) } : {};
  return { ok: true, messages: shown.slice(from, from + limit), response_metadata: next };
}
