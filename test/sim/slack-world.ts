import type { types } from '@slack/bolt';

/** What a workspace holds: people, channels, messages. */

export interface Person {
  id: string;
  name: string;
  admin: boolean;
  team: string;
}

export interface Place {
  id: string;
  name: string;
  kind: 'channel' | 'im' | 'mpim';
  members: Set<string>;
  archived: boolean;
}

export interface SlackFile {
  id: string;
  name: string;
  mimetype: string;
  size: number;
  url_private: string;
}

export interface Message {
  type: 'message';
  ts: string;
  user: string;
  text: string;
  team: string;
  thread_ts?: string;
  subtype?: string;
  bot_id?: string;
  app_id?: string;
  blocks?: (types.KnownBlock | types.Block)[];
  metadata?: types.MessageMetadata;
  edited?: { user: string; ts: string };
  files?: SlackFile[];
  attachments?: Record<string, unknown>[];
  reply_count?: number;
  latest_reply?: string;
}

/** A message being streamed. */
export interface Stream {
  startedAt: number;
  user: string;
}

export type World = ReturnType<typeof createWorld>;

export function createWorld(now: () => number) {
  const team = 'T0TEAM';
  const bot = { id: 'U0BOT', botId: 'B0BOT', appId: 'A0APP', name: 'channelore' };
  const people = new Map<string, Person>();
  const places = new Map<string, Place>();
  const messages = new Map<string, Message[]>();
  const streams = new Map<string, Stream>();
  let lastTs = 0;
  let count = 0;

  function newTs(): string {
    lastTs = Math.max(lastTs + 1, now() * 1000);
    const text = String(lastTs);
    return `${text.slice(0, -6)}.${text.slice(-6)}`;
  }

  function newId(prefix: string): string {
    count++;
    return `${prefix}${String(count).padStart(8, '0')}`;
  }

  function addPlace(name: string, kind: Place['kind'], members: Iterable<string>): Place {
    const prefix = kind === 'im' ? 'D' : kind === 'mpim' ? 'G' : 'C';
    const place: Place = { id: newId(prefix), name, kind, members: new Set(members), archived: false };
    places.set(place.id, place);
    messages.set(place.id, []);
    return place;
  }

  const inPlace = (place: string): Message[] => messages.get(place) ?? [];

  return {
    team,
    bot,
    people,
    places,
    streams,
    newTs,
    newId,
    inPlace,

    addPerson(name: string, more: Partial<Person> = {}): Person {
      const person = { id: newId('U'), name, admin: false, team, ...more };
      people.set(person.id, person);
      return person;
    },

    addChannel: (name: string) => addPlace(name, 'channel', [bot.id]),

    /** Direct messages of several people and the bot. */
    addGroup: (...people: Person[]) =>
      addPlace(`mpdm-${people.map((one) => one.name.toLowerCase()).join('--')}-1`, 'mpim', [
        ...people.map((one) => one.id),
        bot.id,
      ]),

    im(user: string): Place {
      const known = [...places.values()].find((one) => one.kind === 'im' && one.members.has(user));
      return known ?? addPlace('directmessage', 'im', [user, bot.id]);
    },

    find: (place: string, ts: string) => inPlace(place).find((one) => one.ts === ts),

    add(place: string, message: Message): Message {
      inPlace(place).push(message);
      const parent = inPlace(place).find((one) => one.ts === message.thread_ts && one !== message);
      if (parent !== undefined) {
        parent.thread_ts = parent.ts;
        parent.reply_count = (parent.reply_count ?? 0) + 1;
        parent.latest_reply = message.ts;
      }
      return message;
    },

    remove(place: string, ts: string): Message | undefined {
      const list = inPlace(place);
      const at = list.findIndex((one) => one.ts === ts);
      return at < 0 ? undefined : list.splice(at, 1)[0];
    },

    isInThread: (message: Message) => message.thread_ts !== undefined && message.thread_ts !== message.ts,
  };
}

/** As people read it: the markdown blocks where there are any, else the text. */
export function textOf(message: { text: string; blocks?: readonly unknown[] }): string {
  const parts = (message.blocks ?? []).flatMap((block) => {
    const { type, text } = toRecord(block);
    return type === 'markdown' && typeof text === 'string' ? [text] : [];
  });
  return parts.length === 0 ? message.text : parts.join('');
}

export interface ShownButton {
  label: string;
  action_id: string;
  block_id: string;
  value: string;
}

export function buttonsOf(message: { blocks?: readonly unknown[] }): ShownButton[] {
  return (message.blocks ?? []).flatMap((block) => {
    const { type, elements, block_id: id } = toRecord(block);
    if (type !== 'actions' || !Array.isArray(elements)) return [];
    return elements.map(toRecord).map((element) => ({
      label: String(toRecord(element.text).text),
      action_id: String(element.action_id),
      block_id: String(id),
      value: String(element.value),
    }));
  });
}

export function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
