import { cleanName } from '../conversation/names.ts';
import { BotError } from '../errors.ts';
import {
  type Author,
  type ChannelId,
  type CommandEvent,
  type MessageEvent,
  parentChannel,
  platformOf,
} from '../event.ts';
import type { Job } from '../inbox/inbox.ts';
import type { AuditAction } from '../operations/audit.ts';
import { type CommandSpec, commandName, type Values } from './command.ts';
import type { CommandDeps, Context, Result } from './context.ts';
import { commandLine, isUrgentLine, parseCommand } from './parse.ts';
import { undoUnknownModel } from './run-settings.ts';
import { settingNames } from './settings.ts';

/** From what somebody ordered to what comes of it: parsed, allowed, run. */
export interface CommandRunner {
  /** False where nothing is answered and nothing kept. */
  isServed(channel: ChannelId): boolean;
  /** False for who is passed over in silence; throws where a refusal is due. */
  mayTalk(event: MessageEvent, addressed: boolean): boolean;
  isUrgent(given: CommandEvent['command']): boolean;
  run(job: Job, request: Request): Promise<Result>;
  /** What people are told beside an error, where something was set that the model server refuses. */
  afterError(channel: ChannelId, model: string, error: BotError): Promise<string | undefined>;
}

interface Request {
  channel: ChannelId;
  author: Author;
  given: CommandEvent['command'];
  direct: boolean;
  prints?: boolean | undefined;
  automatic?: boolean | undefined;
  target?: string | undefined;
}

export function createCommandRunner(deps: CommandDeps): CommandRunner {
  const { policy } = deps;

  function note(what: AuditAction, author: Author, channel: ChannelId, detail: string): void {
    const platform = platformOf(author, channel);
    deps.audit.note({ what, who: `${platform}:${author.id}`, from: platform, channel, detail });
  }

  return {
    isServed: policy.isServed,

    mayTalk(event, addressed) {
      const verdict = policy.mayTalk(event.author, event.channel, addressed);
      if (verdict.allowed) return true;
      if (verdict.silent) return false;
      note('refused', event.author, event.channel, 'message');
      throw new BotError('forbidden', verdict.rule);
    },

    isUrgent: (given) => isUrgentLine(deps.commands(), 'line' in given ? given.line : given.path.join(' ')),

    afterError: (channel, model, error) => undoUnknownModel(deps, channel, model, error),

    async run(job, request) {
      const { channel, author, given, direct, prints = false, automatic = false, target } = request;
      const { spec, values, confirmed } = parseCommand(deps.commands(), given);
      const check = (isAsker: boolean): void => {
        const verdict = policy.mayCommand(spec, author, channel, { isAsker });
        if (verdict.allowed || automatic) return;
        note('refused', author, channel, commandName(spec));
        throw new BotError('forbidden', verdict.rule);
      };
      // Whose question it is about is known once the command has found it.
      check(true);
      const by = cleanName(author.name);
      const context: Context = {
        deps,
        job,
        channel,
        author,
        by,
        who: direct ? 'You' : by,
        here: direct ? 'our conversation' : parentChannel(channel) === undefined ? 'this channel' : 'this thread',
        isAdmin: policy.isAdmin(author, channel),
        direct,
        prints,
        target,
        values,
        profile: await deps.memory.profiles.of(channel),
        changed: (what, words) => ({
          at: deps.now(),
          by,
          person: author.id,
          what,
          ...(words !== undefined && { words }),
        }),
        settle: (notice) => job.update({ outcome: notice }),
        mustHaveAsked: (person) => check(person === author.id),
      };
      if (spec.confirm && !confirmed) {
        await spec.check?.(context);
        return confirmation(spec, values);
      }
      const result = await spec.run(context);
      if (spec.audited !== 'nothing') note(spec.audited, author, channel, toDetail(spec, values));
      return result;
    },
  };
}

/** The command, and of a setting its name: nothing else of what was typed. */
function toDetail(spec: CommandSpec, { name }: Values): string {
  const given = String(name).toLowerCase();
  const isSetting = settingNames.includes(given.replace(/^workspace\./, ''));
  return isSetting ? `${commandName(spec)} ${given}` : commandName(spec);
}

function confirmation(spec: CommandSpec, values: Values): Result {
  const text =
    `\`/${commandLine(spec, values, false)}\` cannot be undone: it erases for good, from my summaries too. ` +
    'What other people wrote about it in their own words stays, and so do my answers to them.';
  const actions = [{ label: 'Yes, erase it', command: commandLine(spec, values, true) }];
  return { notice: { text, private: true, actions, files: [] } };
}
