import { cleanName } from '../conversation/names.ts';
import { BotError } from '../errors.ts';
import type { Author, ChannelId, CommandEvent, MessageEvent } from '../event.ts';
import type { Job } from '../inbox/inbox.ts';
import type { CommandSpec, Values } from './command.ts';
import type { CommandDeps, Context, Result } from './context.ts';
import { commandLine, isUrgentLine, parseCommand } from './parse.ts';
import { undoUnknownModel } from './run-settings.ts';

/** From what somebody ordered to what comes of it: parsed, allowed, run. */
export interface CommandRunner {
  /** False for who is passed over in silence; throws where a refusal is due. */
  mayTalk(event: MessageEvent, addressed: boolean): boolean;
  isUrgent(given: CommandEvent['command']): boolean;
  run(job: Job, request: Request): Promise<Result>;
  /** What people are told beside an error, where something was set that the model server refuses. */
  afterError(channel: ChannelId, error: BotError): Promise<string | undefined>;
}

interface Request {
  channel: ChannelId;
  author: Author;
  given: CommandEvent['command'];
  direct: boolean;
  target?: string | undefined;
}

export function createCommandRunner(deps: CommandDeps): CommandRunner {
  const { policy } = deps;

  return {
    mayTalk(event, addressed) {
      const verdict = policy.mayTalk(event.author, event.channel, addressed);
      if (verdict.allowed) return true;
      if (verdict.silent) return false;
      throw new BotError('forbidden', verdict.rule);
    },

    isUrgent: (given) => isUrgentLine(deps.commands(), 'line' in given ? given.line : given.path.join(' ')),

    afterError: (channel, error) => undoUnknownModel(deps, channel, error),

    async run(job, request) {
      const { channel, author, given, direct, target } = request;
      const { spec, values, confirmed } = parseCommand(deps.commands(), given);
      const isAsker = deps.running.current(channel)?.person === author.id;
      const verdict = policy.mayCommand(spec, author, channel, { isAsker: isAsker || spec.path[0] === 'retry' });
      if (!verdict.allowed) throw new BotError('forbidden', verdict.rule);
      const context: Context = {
        deps,
        job,
        channel,
        author,
        by: direct ? 'You' : cleanName(author.name),
        isAdmin: policy.isAdmin(author, channel),
        direct,
        target,
        values,
        confirmed,
        profile: await deps.memory.profiles.of(channel),
        settle: (notice) => job.update({ outcome: notice }),
      };
      if (spec.confirm && !confirmed) return confirmation(spec, values);
      return await spec.run(context);
    },
  };
}

function confirmation(spec: CommandSpec, values: Values): Result {
  const text =
    `This cannot be undone: \`/${commandLine(spec, values, false)}\` erases from turns, summaries and search, for good. ` +
    'What other people wrote about it in their own words stays.';
  const actions = [{ label: 'Yes, erase it', command: commandLine(spec, values, true) }];
  return { notice: { text, private: true, actions, files: [] } };
}
