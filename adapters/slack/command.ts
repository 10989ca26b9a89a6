import type { Author, CommandEvent } from '../../src/event.ts';
import { readAbout } from './buttons.ts';
import { isDirect, toChannel, tsMs } from './ids.ts';
import type { WireClick, WireHome, WireSlash } from './wire.ts';

/** From slash commands, clicks and the opened Home tab to the core's commands. */

/** What is needed to answer, also after a restart. */
export interface CommandOrigin {
  how: 'slash' | 'button' | 'home';
  /** Where Slack takes an answer for that person alone, for half an hour. */
  respond: string | undefined;
  /** The message of the button is itself seen by nobody else, and is done with. */
  replaces: boolean;
  /** The thread the button is shown in. */
  shownIn: string | undefined;
  team: string;
  /** What of the Home tab it fills. */
  section: string | undefined;
}

export function readOrigin(origin: Record<string, string>): CommandOrigin {
  const { how, respond, replaces, shownIn, team = '', section } = origin;
  const kind = how === 'button' || how === 'home' ? how : 'slash';
  return { how: kind, respond, replaces: replaces === 'yes', shownIn, team, section };
}

export interface Where {
  team: string;
  /** Whether an answer may be sent to that address. */
  mayRespond(url: string): boolean;
}

/** Commands whose last word is a person: they take the id, the others the name. */
export interface PersonCommands {
  path: readonly string[];
  options: readonly { kind: string }[];
}

export function takesPerson(line: string, commands: readonly PersonCommands[]): boolean {
  const words = line.trim().toLowerCase().split(/\s+/);
  const named = commands.filter(({ options }) => options.some(({ kind }) => kind === 'person'));
  return named.some(({ path }) => path.every((word, n) => words[n] === word));
}

export function withIds(text: string): string {
  return text.replace(/<@([^<>|]+)(?:\|[^<>]*)?>/g, '$1');
}

/** `line`: what was typed, as people read it. */
export function toSlashEvent(slash: WireSlash, line: string, author: Author, at: number, where: Where): CommandEvent {
  const { channel_id: channel, trigger_id: id } = slash;
  return {
    kind: 'command',
    id: `command:${id}`,
    channel: toChannel(where.team, { channel, thread: undefined }),
    at,
    author,
    command: { line: line.trim().replace(/^\//, '') || 'help' },
    direct: isDirect(channel),
    origin: { how: 'slash', team: slash.team_id ?? where.team, ...respondAt(slash.response_url, where) },
  };
}

export function toClickEvent(click: WireClick, author: Author, where: Where): CommandEvent | undefined {
  const [action] = click.actions;
  const about = action === undefined ? undefined : readAbout(action.block_id);
  if (action === undefined || about === undefined || action.value === '') return undefined;
  const { container, message } = click;
  const shownIn = message?.thread_ts ?? container.thread_ts ?? about.thread;
  const target = about.question ?? message?.ts;
  return {
    kind: 'command',
    id: `click:${action.action_ts}:${author.id}`,
    channel: toChannel(where.team, { channel: click.channel.id, thread: about.thread }),
    at: tsMs(action.action_ts),
    author,
    command: { line: action.value },
    ...(target === undefined ? {} : { target }),
    direct: isDirect(click.channel.id),
    origin: {
      how: 'button',
      team: click.user.team_id ?? where.team,
      ...(shownIn === undefined ? {} : { shownIn }),
      ...(container.is_ephemeral === true ? { replaces: 'yes' } : {}),
      ...respondAt(click.response_url, where),
    },
  };
}

/** What the Home tab shows, by the commands that tell it. */
export const homeSections = [
  { section: 'role', title: 'My role here', path: ['role', 'show'] },
  { section: 'memory', title: 'What I remember of our direct messages', path: ['memory', 'show'] },
  { section: 'usage', title: 'Usage', path: ['usage'] },
] as const;

export function toHomeEvents(home: WireHome, author: Author, where: Where): CommandEvent[] {
  return homeSections.map(({ section, path }) => ({
    kind: 'command',
    id: `home:${home.event_ts}:${section}`,
    channel: toChannel(where.team, { channel: home.channel, thread: undefined }),
    at: tsMs(home.event_ts),
    author,
    command: { path: [...path], options: {} },
    direct: true,
    origin: { how: 'home', team: where.team, section },
  }));
}

function respondAt(url: string | undefined, { mayRespond }: Where): { respond: string } | Record<string, never> {
  return url !== undefined && mayRespond(url) ? { respond: url } : {};
}
