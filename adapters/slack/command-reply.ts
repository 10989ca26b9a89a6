import type { CommandEvent, Notice, Reply } from '../../src/event.ts';
import { createAnswer } from './answer.ts';
import { readOrigin } from './command.ts';
import { troubleOf } from './failure.ts';
import { isDirect, toPlace } from './ids.ts';
import { type NoticePlace, type Split, toBodies } from './notices.ts';
import { guardAnswer, type ReplyDeps } from './reply.ts';
import type { Responding } from './responding.ts';
import { createStatus } from './status.ts';

/**
 * How a command is answered: to whoever gave it alone, through the address that came with it; what everybody is to see
 * stands in the channel.
 */
export interface CommandReplyDeps extends ReplyDeps {
  responding: Responding;
  split: Split;
}

/** Slack's clock and ours may differ by so much. */
const clockMs = 5000;
/** So long Slack takes answers to a command; a little less. */
const respondMs = 29 * 60_000;
/** And so many. */
const mostResponses = 5;

export function createCommandReply(
  deps: CommandReplyDeps,
  event: CommandEvent,
  posted: readonly string[],
  fresh: boolean,
): Reply {
  const { api, notices } = deps;
  const { channel, thread: conversation } = toPlace(event.channel);
  const origin = readOrigin(event.origin);
  const thread = conversation ?? origin.shownIn;
  const seed = `${event.channel}:${event.id}`;
  const after = ((event.at - clockMs) / 1000).toFixed(6);
  const about = { thread: conversation, question: event.target };
  const status = createStatus(api, deps.log, channel, thread);
  const recipient = { user: event.author.id, team: origin.team };
  const plan = { channel, thread, conversation, question: event.target, after, recipient, seed, posted, fresh };
  const answer = createAnswer({ ...deps, status }, plan);
  const guarded = guardAnswer(deps, event, answer, status);
  let replaces = origin.replaces;

  function placeOf(key: string): NoticePlace {
    return { channel, thread, about, seed: `${seed}:${key}`, searchAfter: fresh ? undefined : after };
  }

  async function sayHere(key: string, notice: Notice): Promise<void> {
    try {
      await notices.post(placeOf(key), notice);
    } catch (error) {
      // Where it may not write, it may still answer a command: at least whoever gave it sees what came of it.
      if (!['channel-gone', 'not-joined', 'forbidden', 'archived'].includes(troubleOf(error))) throw error;
      deps.log.warn({ channel: event.channel, event: event.id, trouble: troubleOf(error) }, 'said privately instead');
      await sayPrivately(key, notice);
    }
  }

  async function sayPrivately(key: string, notice: Notice): Promise<void> {
    if (await respond(notice)) return;
    if (isDirect(channel)) return await notices.post(placeOf(key), notice);
    await notices.whisper(placeOf(key), event.author.id, notice);
  }

  async function respond(notice: Notice): Promise<boolean> {
    const { respond: url } = origin;
    if (url === undefined || deps.now() - event.at > respondMs) return false;
    const bodies = toBodies(notice, about, deps.split);
    if (bodies.length > mostResponses) return false;
    for (const body of bodies) {
      if (!(await deps.responding.respond(url, body, replaces))) return false;
      replaces = false;
    }
    return true;
  }

  return {
    ...guarded,
    say: (key, given) =>
      guarded.say(async () => {
        const notice = await notices.giveFiles(event.author.id, given);
        if (notice.private) await sayPrivately(key, notice);
        else await sayHere(key, notice);
        await status.clear();
      }),
  };
}
