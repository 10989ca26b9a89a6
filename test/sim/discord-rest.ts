import {
  type APIMessage,
  type APIUser,
  type GatewayDispatchEvents,
  InteractionResponseType,
  MessageFlags,
  type RESTGetAPIGatewayBotResult,
} from 'discord-api-types/v10';
import { invalid, isRecord, type Refusal, refusalOf, refusedCommands } from './discord-validate.ts';
import type { Place, World } from './discord-world.ts';

/** What Discord's REST API does with a request. */

export interface File {
  name: string;
  type: string;
  content: string;
}

export interface Interaction {
  id: string;
  token: string;
  channel: Place;
  user: APIUser;
  at: number;
  /** The message a button stands under. */
  message: APIMessage | undefined;
  state: 'open' | 'deferred' | 'answered';
  /** What the person sees of it, the answer first; only theirs where the ephemeral flag is set. */
  answers: APIMessage[];
  choices: unknown[] | undefined;
  files: File[];
}

export interface RestState {
  world: World;
  interactions: Map<string, Interaction>;
  commands: unknown[];
  /** Files of ordinary messages by message id. */
  files: Map<string, File[]>;
  nonces: Map<string, string>;
  /** Channels in which the bot may not do anything any more, with the error code. */
  denied: Map<string, number>;
  attachments: Map<string, { body: Uint8Array; type: string; ms: number }>;
  typing: { channel: string; at: number }[];
  /** An interaction must be answered within this. */
  ackMs: number;
  tokenMs: number;
  shards: number;
  gatewayUrl(): string;
  emit(t: GatewayDispatchEvents, d: unknown, guildId: string | undefined): void;
  now(): number;
}

export interface Result {
  status: number;
  body?: unknown;
}

type Body = Record<string, unknown>;

export function refuse({ status, code, message, errors }: Refusal): Result {
  return { status, body: { code, message, ...(errors === undefined ? {} : { errors }) } };
}

const unknownMessage: Refusal = { status: 404, code: 10008, message: 'Unknown Message' };
const unknownChannel: Refusal = { status: 404, code: 10003, message: 'Unknown Channel' };
const unknownWebhook: Refusal = { status: 404, code: 10015, message: 'Unknown Webhook' };

export function perform(
  state: RestState,
  method: string,
  path: string,
  query: URLSearchParams,
  body: Body,
  files: File[],
): Result {
  const at = (pattern: RegExp): RegExpExecArray | null => pattern.exec(`${method} ${path}`);
  if (at(/^GET \/applications\/@me$/)) return { status: 200, body: { id: state.world.bot.id, name: 'Channelore' } };
  if (at(/^GET \/users\/@me$/)) return { status: 200, body: state.world.bot };
  if (at(/^GET \/gateway\/bot$/)) return gatewayBot(state);
  if (at(/^GET \/applications\/\d+\/commands$/)) return { status: 200, body: state.commands };
  if (at(/^PUT \/applications\/\d+\/commands$/)) return putCommands(state, body);
  if (at(/^POST \/users\/@me\/channels$/)) return openDm(state, body);
  const callback = at(/^POST \/interactions\/(\d+)\/([^/]+)\/callback$/);
  if (callback) return answerInteraction(state, callback[1] ?? '', callback[2] ?? '', body, files);
  const webhook = at(/^(\w+) \/webhooks\/\d+\/([^/]+)(?:\/messages\/(@original|\d+))?$/);
  if (webhook) return onWebhook(state, method, webhook[2] ?? '', webhook[3], body, files);
  const member = at(/^GET \/guilds\/\d+\/members\/(\d+)$/);
  if (member) return memberOf(state, member[1] ?? '');
  const found = at(/^\w+ \/channels\/(\d+)(?:\/(messages|typing)(?:\/(\d+))?)?$/);
  if (!found) return refuse({ status: 404, code: 0, message: '404: Not Found' });
  return onChannel(state, method, { id: found[1] ?? '', part: found[2], message: found[3] }, query, body, files);
}

function gatewayBot(state: RestState): Result {
  const limit = { total: 1000, remaining: 999, reset_after: 14_400_000, max_concurrency: 1 };
  const body: RESTGetAPIGatewayBotResult = {
    url: state.gatewayUrl(),
    shards: state.shards,
    session_start_limit: limit,
  };
  return { status: 200, body };
}

function putCommands(state: RestState, body: Body): Result {
  const given = body.list;
  const refused = refusedCommands(given);
  if (refused !== undefined) return refuse(refused);
  if (!Array.isArray(given)) return refuse(invalid('no list'));
  state.commands = given.map((command) => ({
    id: state.world.newId(),
    application_id: state.world.bot.id,
    version: state.world.newId(),
    default_member_permissions: null,
    nsfw: false,
    name_localizations: null,
    description_localizations: null,
    ...(isRecord(command) ? command : {}),
  }));
  return { status: 200, body: state.commands };
}

function openDm(state: RestState, body: Body): Result {
  const person = state.world.people.get(String(body.recipient_id));
  if (person === undefined) return refuse({ status: 400, code: 50033, message: 'Invalid Recipient(s)' });
  return { status: 200, body: state.world.dm(person) };
}

function memberOf(state: RestState, id: string): Result {
  const person = state.world.people.get(id);
  if (person === undefined) return refuse({ status: 404, code: 10007, message: 'Unknown Member' });
  return { status: 200, body: state.world.memberOf(person) };
}

interface Target {
  id: string;
  part: string | undefined;
  message: string | undefined;
}

function onChannel(
  state: RestState,
  method: string,
  target: Target,
  query: URLSearchParams,
  body: Body,
  files: File[],
): Result {
  const { world } = state;
  const place = world.places.get(target.id);
  if (place === undefined) return refuse(unknownChannel);
  const denied = state.denied.get(target.id);
  if (denied !== undefined) return refuse({ status: 403, code: denied, message: 'Missing Permissions' });
  if (target.part === undefined) return { status: 200, body: place };
  if (isArchived(place) && (method === 'PATCH' || target.part === 'typing')) {
    return refuse({ status: 400, code: 50083, message: 'Thread is archived' });
  }
  if (target.part === 'typing') {
    state.typing.push({ channel: target.id, at: state.now() });
    return { status: 204 };
  }
  if (target.message === undefined) {
    return method === 'GET' ? list(state, target.id, query) : post(state, place, body, files);
  }
  const message = world.find(target.id, target.message);
  if (message === undefined) return refuse(unknownMessage);
  if (method === 'GET') return { status: 200, body: message };
  if (message.author.id !== world.bot.id) {
    return refuse({ status: 403, code: 50005, message: 'Cannot edit a message authored by another user' });
  }
  return method === 'DELETE' ? remove(state, place, message) : edit(state, place, message, body, files);
}

function isArchived(place: Place): boolean {
  return 'thread_metadata' in place && place.thread_metadata?.archived === true;
}

/** Newest first; `after` gives those right after it. */
function list(state: RestState, channelId: string, query: URLSearchParams): Result {
  const limit = Number(query.get('limit') ?? 50);
  if (!(limit >= 1 && limit <= 100)) return refuse(invalid('limit'));
  const after = query.get('after');
  const before = query.get('before');
  const all = state.world.messages.get(channelId) ?? [];
  if (after !== null) {
    const page = all.filter((one) => BigInt(one.id) > BigInt(after)).slice(0, limit);
    return { status: 200, body: page.reverse() };
  }
  const older = before === null ? all : all.filter((one) => BigInt(one.id) < BigInt(before));
  return { status: 200, body: older.slice(-limit).reverse() };
}

function post(state: RestState, place: Place, body: Body, files: File[]): Result {
  const { world } = state;
  const refused = refusalOf(body, files.length, false);
  if (refused !== undefined) return refuse(refused);
  const person = 'recipients' in place ? world.people.get(place.recipients?.[0]?.id ?? '') : undefined;
  if (person?.closed) return refuse({ status: 403, code: 50007, message: 'Cannot send messages to this user' });
  const nonce = typeof body.nonce === 'string' && body.enforce_nonce === true ? `${place.id}:${body.nonce}` : undefined;
  const known = nonce === undefined ? undefined : state.nonces.get(nonce);
  const same = known === undefined ? undefined : world.find(place.id, known);
  if (same !== undefined) return { status: 200, body: same };
  const given = isRecord(body.message_reference) ? body.message_reference : undefined;
  const reference = given === undefined ? undefined : world.find(place.id, String(given.message_id));
  if (given !== undefined && reference === undefined && given.fail_if_not_exists !== false) {
    const detail = { _errors: [{ code: 'REPLIES_UNKNOWN_MESSAGE', message: 'Unknown message' }] };
    return refuse({ ...invalid('message_reference'), errors: { message_reference: detail } });
  }
  if ('thread_metadata' in place && place.thread_metadata) place.thread_metadata.archived = false;
  const message = world.addMessage({
    channel: place,
    author: world.bot,
    content: textOf(body),
    reference,
    changes: { ...componentsOf(body), flags: Number(body.flags ?? 0) },
  });
  if (nonce !== undefined) state.nonces.set(nonce, message.id);
  if (files.length > 0) state.files.set(message.id, files);
  emitMessage(state, 'MESSAGE_CREATE', place, message);
  return { status: 200, body: { ...message, nonce: body.nonce } };
}

function edit(state: RestState, place: Place, message: APIMessage, body: Body, files: File[]): Result {
  const refused = refusalOf(body, files.length, true);
  if (refused !== undefined) return refuse(refused);
  applyTo(message, body, state.now());
  emitMessage(state, 'MESSAGE_UPDATE', place, message);
  return { status: 200, body: message };
}

function applyTo(message: APIMessage, body: Body, now: number): void {
  if (typeof body.content === 'string') message.content = body.content.trim();
  if (body.components !== undefined) Object.assign(message, componentsOf(body));
  message.edited_timestamp = new Date(now).toISOString();
}

/** Discord takes the white space off both ends. */
function textOf(body: Body): string {
  return typeof body.content === 'string' ? body.content.trim() : '';
}

function componentsOf(body: Body): Pick<APIMessage, 'components'> {
  return Array.isArray(body.components) ? { components: body.components } : {};
}

function remove(state: RestState, place: Place, message: APIMessage): Result {
  state.world.remove(place.id, [message.id]);
  const guild = state.world.guildOf(place);
  const data = { id: message.id, channel_id: place.id, ...(guild === undefined ? {} : { guild_id: guild }) };
  state.emit('MESSAGE_DELETE' as GatewayDispatchEvents, data, guild);
  return { status: 204 };
}

export function emitMessage(state: RestState, t: string, place: Place, message: APIMessage): void {
  const guild = state.world.guildOf(place);
  const person = state.world.people.get(message.author.id);
  const { user: _, ...member } = person === undefined ? { user: undefined } : state.world.memberOf(person);
  const extra = guild === undefined || person === undefined ? {} : { member };
  const where = guild === undefined ? {} : { guild_id: guild };
  state.emit(t as GatewayDispatchEvents, { ...message, ...where, ...extra, channel_type: place.type }, guild);
}

function answerInteraction(state: RestState, id: string, token: string, body: Body, files: File[]): Result {
  const interaction = state.interactions.get(token);
  if (interaction?.id !== id || state.now() - interaction.at > state.ackMs) {
    return refuse({ status: 404, code: 10062, message: 'Unknown interaction' });
  }
  if (interaction.state !== 'open') {
    return refuse({ status: 400, code: 40060, message: 'Interaction has already been acknowledged.' });
  }
  const data = isRecord(body.data) ? body.data : {};
  switch (body.type) {
    case InteractionResponseType.ApplicationCommandAutocompleteResult: {
      const { choices } = data;
      if (!Array.isArray(choices) || choices.length > 25) return refuse(invalid('choices'));
      interaction.state = 'answered';
      interaction.choices = choices;
      return { status: 204 };
    }
    case InteractionResponseType.DeferredChannelMessageWithSource:
      interaction.state = 'deferred';
      interaction.answers = [toAnswer(state, interaction, { flags: Number(data.flags ?? 0) | MessageFlags.Loading })];
      return { status: 204 };
    case InteractionResponseType.DeferredMessageUpdate:
      if (interaction.message === undefined) return refuse(invalid('type'));
      interaction.state = 'answered';
      interaction.answers = [interaction.message];
      return { status: 204 };
    case InteractionResponseType.ChannelMessageWithSource: {
      const refused = refusalOf(data, files.length, false);
      if (refused !== undefined) return refuse(refused);
      interaction.state = 'answered';
      interaction.answers = [toAnswer(state, interaction, data)];
      return { status: 204 };
    }
    default:
      return refuse(invalid('type'));
  }
}

function toAnswer(state: RestState, interaction: Interaction, data: Body): APIMessage {
  const message: APIMessage = {
    id: state.world.newId(),
    channel_id: interaction.channel.id,
    author: state.world.bot,
    content: textOf(data),
    timestamp: new Date(state.now()).toISOString(),
    edited_timestamp: null,
    tts: false,
    mention_everyone: false,
    mentions: [],
    mention_roles: [],
    attachments: [],
    embeds: [],
    pinned: false,
    type: 20,
    flags: Number(data.flags ?? 0),
    ...componentsOf(data),
  };
  if ((Number(data.flags ?? 0) & MessageFlags.Ephemeral) === 0)
    state.world.messages.get(interaction.channel.id)?.push(message);
  return message;
}

function onWebhook(
  state: RestState,
  method: string,
  token: string,
  which: string | undefined,
  body: Body,
  files: File[],
): Result {
  const interaction = state.interactions.get(token);
  if (interaction === undefined || interaction.state === 'open') return refuse(unknownWebhook);
  if (state.now() - interaction.at > state.tokenMs) {
    return refuse({ status: 401, code: 50027, message: 'Invalid Webhook Token' });
  }
  if (which === undefined) {
    const refused = refusalOf(body, files.length, false);
    if (refused !== undefined) return refuse(refused);
    const message = toAnswer(state, interaction, body);
    interaction.answers.push(message);
    interaction.files.push(...files);
    return { status: 200, body: message };
  }
  const message = interaction.answers.find((one, n) => (which === '@original' ? n === 0 : one.id === which));
  if (message === undefined) return refuse(unknownMessage);
  if (method === 'DELETE') {
    interaction.answers.splice(interaction.answers.indexOf(message), 1);
    state.world.remove(message.channel_id, [message.id]);
    return { status: 204 };
  }
  if (method === 'GET') return { status: 200, body: message };
  const refused = refusalOf(body, files.length, true);
  if (refused !== undefined) return refuse(refused);
  applyTo(message, body, state.now());
  message.flags = Number(message.flags ?? 0) & ~MessageFlags.Loading;
  interaction.state = 'answered';
  interaction.files.push(...files);
  return { status: 200, body: message };
}
