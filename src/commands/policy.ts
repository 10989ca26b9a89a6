import { BotError } from '../errors.ts';
import { type Author, type ChannelId, channelParts, platformOf } from '../event.ts';
import { workspaceOf } from '../usage/usage-record.ts';
import { type CommandSpec, commandName } from './command.ts';
import { nearest, quote } from './nearest.ts';

/**
 * Who may talk to the bot, who may command it, and where. Ids are `platform:id`, or `platform/workspace/id` to mean one
 * installation's only; a thread counts as its channel. Where ALLOWED_WORKSPACES does not name a workspace, nobody may
 * do anything there.
 *
 * | who | may talk | may command |
 * |---|---|---|
 * | in ADMIN_USERS | always, everywhere | everything |
 * | in BLOCKED_USERS | no | nothing |
 * | anybody else | in ALLOWED_CHANNELS, if in ALLOWED_USERS or ALLOWED_ROLES; an empty list allows all | where talking is allowed |
 * | of these, an admin of the platform's | the same | everything, in their own workspace |
 *
 * A platform's admin passes none of the operator's lists: anybody may make a server, be its admin, and invite the bot.
 */
export interface Policy {
  /** False in a workspace that is not in ALLOWED_WORKSPACES. */
  isServed(channel: ChannelId): boolean;
  isAdmin(author: Author, channel: ChannelId): boolean;
  /** `addressed`: who was only overheard is passed over in silence. */
  mayTalk(author: Author, channel: ChannelId, addressed: boolean): Verdict;
  /** `isAsker`: it was their question that the command is about. */
  mayCommand(spec: CommandSpec, author: Author, channel: ChannelId, facts: { isAsker?: boolean }): Verdict;
}

/** `rule` is a sentence for whoever is refused; it names the rule and nobody on its lists. */
export type Verdict = { allowed: true } | { allowed: false; rule: string; silent: boolean };

export interface PolicyLists {
  adminUsers: readonly string[];
  allowedUsers: readonly string[];
  allowedRoles: readonly string[];
  allowedChannels: readonly string[];
  blockedUsers: readonly string[];
  /** `platform/workspace`; empty: all. */
  allowedWorkspaces: readonly string[];
  restrictedCommands: readonly string[];
}

const allowed: Verdict = { allowed: true };

export function createPolicy(lists: PolicyLists): Policy {
  const admins = new Set(lists.adminUsers);
  const users = new Set(lists.allowedUsers);
  const roles = new Set(lists.allowedRoles);
  const channels = new Set(lists.allowedChannels);
  const blocked = new Set(lists.blockedUsers);
  const workspaces = new Set(lists.allowedWorkspaces);
  const restricted = new Set(lists.restrictedCommands.map(toName));

  const has = (list: ReadonlySet<string>, id: string, author: Author, channel: ChannelId): boolean =>
    isIn(list, id, channel, platformOf(author, channel));
  const isOperator = (author: Author, channel: ChannelId): boolean => has(admins, author.id, author, channel);

  function isServed(channel: ChannelId): boolean {
    const { platform, workspace } = channelParts(channel);
    return (
      workspaces.size === 0 || [`${platform}/${workspace}`, workspaceOf(channel)].some((one) => workspaces.has(one))
    );
  }

  function isAdmin(author: Author, channel: ChannelId): boolean {
    return author.admin || isOperator(author, channel);
  }

  function talkRule(author: Author, channel: ChannelId): string | undefined {
    // Who comes from elsewhere, as an admin of the console, may still look after what was said there before.
    if (author.platform === undefined && !isServed(channel)) {
      return 'I do not work in this workspace: ALLOWED_WORKSPACES does not name it.';
    }
    if (isOperator(author, channel)) return undefined;
    if (has(blocked, author.id, author, channel)) return 'People in BLOCKED_USERS may not talk to me.';
    const { platform, channel: id } = channelParts(channel);
    if (channels.size > 0 && !isIn(channels, id, channel, platform)) {
      return 'I may only be talked to in the channels in ALLOWED_CHANNELS, and this is none of them.';
    }
    if (users.size + roles.size === 0 || has(users, author.id, author, channel)) return undefined;
    if (author.roles.some((role) => has(roles, role, author, channel))) return undefined;
    if (roles.size === 0) return 'Only people in ALLOWED_USERS may talk to me here.';
    if (users.size === 0) return 'Only people with a role in ALLOWED_ROLES may talk to me here.';
    return 'Only people in ALLOWED_USERS or with a role in ALLOWED_ROLES may talk to me here.';
  }

  function commandRule(spec: CommandSpec, isAsker: boolean): string | undefined {
    const name = commandName(spec);
    if (spec.who === 'admin') return `Only admins may use /${name}.`;
    if (spec.who === 'asker' && !isAsker) return `Only whoever asked the question, or an admin, may use /${name}.`;
    const isRestricted = spec.restrictable && namesOf(spec).some((one) => restricted.has(one));
    return isRestricted ? `RESTRICTED_COMMANDS leaves /${name} to admins.` : undefined;
  }

  return {
    isServed,
    isAdmin,
    mayTalk(author, channel, addressed) {
      const rule = talkRule(author, channel);
      return rule === undefined ? allowed : { allowed: false, rule, silent: !addressed };
    },
    mayCommand(spec, author, channel, { isAsker = false }) {
      const rule = talkRule(author, channel) ?? (isAdmin(author, channel) ? undefined : commandRule(spec, isAsker));
      return rule === undefined ? allowed : { allowed: false, rule, silent: false };
    },
  };
}

/** For whoever shows or does outside of a command what a command does: why the person may not, or nothing. */
export type MayUse = (author: Author, channel: ChannelId, command: string) => string | undefined;

export function createMayUse(policy: Policy, specs: readonly CommandSpec[]): MayUse {
  const byName = new Map(specs.map((spec) => [commandName(spec), spec]));
  return (author, channel, command) => {
    const spec = byName.get(command);
    if (spec === undefined) throw new BotError('bug', `there is no command ${command}`);
    // The lists say who may talk, and where; whoever looks after everything looks, and does not talk.
    if (policy.isAdmin(author, channel)) return undefined;
    const verdict = policy.mayCommand(spec, author, channel, {});
    return verdict.allowed ? undefined : verdict.rule;
  };
}

/** What RESTRICTED_COMMANDS names in vain, each as a sentence for the operator. */
export function restrictionProblems(specs: readonly CommandSpec[], restrictedCommands: readonly string[]): string[] {
  return restrictedCommands.map(toName).flatMap((name) => {
    const named = specs.filter((spec) => namesOf(spec).includes(name));
    if (named.some((spec) => spec.restrictable)) return [];
    if (named.some((spec) => spec.who === 'admin')) return [];
    if (named.length > 0) return [`RESTRICTED_COMMANDS: ${name} is open to everybody and cannot be restricted`];
    const meant = nearest(name, specs.flatMap(namesOf));
    const guess = meant === undefined ? '' : `; did you mean ${meant}?`;
    return [`RESTRICTED_COMMANDS: there is no command ${quote(name)}${guess}`];
  });
}

/** The command's own name and its groups': `role set` and `role`. */
function namesOf({ path }: CommandSpec): string[] {
  return path.map((_, index) => path.slice(0, index + 1).join(' '));
}

function toName(text: string): string {
  return text.trim().replace(/^\//, '').replace(/\s+/g, ' ').toLowerCase();
}

/** Whether the list has the id, of any workspace or with its own before it, as people write it or escaped. */
function isIn(list: ReadonlySet<string>, id: string, channel: ChannelId, platform: string): boolean {
  if (list.size === 0) return false;
  if (list.has(`${platform}:${id}`)) return true;
  const place = channelParts(channel);
  if (place.platform !== platform) return false;
  const escaped = encodeURIComponent(id.toWellFormed());
  return list.has(`${platform}/${place.workspace}/${id}`) || list.has(`${workspaceOf(channel)}/${escaped}`);
}
