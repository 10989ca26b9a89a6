import { MessageFlags } from 'discord.js';
import type { CommandEvent, Notice, Reply } from '../../src/event.ts';
import { createAnswer } from './answer.ts';
import { toPlatformError, troubleOf } from './failure.ts';
import { toPlace } from './ids.ts';
import { type InteractionOrigin, readOrigin } from './interaction.ts';
import { plainNotice, type Split, toParts } from './notices.ts';
import { guardAnswer, type ReplyDeps } from './reply.ts';

/**
 * How a command is answered: to whoever gave it alone, through the interaction; what everybody is to see stands in the
 * channel. An interaction can be answered for a quarter of an hour; later, a direct message takes its place.
 */
export function createCommandReply(
  deps: ReplyDeps & { split: Split; acknowledged(event: CommandEvent): Promise<void> },
  event: CommandEvent,
  posted: readonly string[],
  fresh: boolean,
): Reply {
  const { api, notices } = deps;
  const place = toPlace(event.channel);
  const origin = readOrigin(event.origin);
  const seed = `${event.channel}:${event.id}`;
  const { question } = origin;
  const plan = { channel: place.id, question, after: event.id, seed, posted, fresh };
  const answer = createAnswer(api, { ...plan, self: deps.self });
  const guarded = guardAnswer(deps, event, answer);
  /** The message that the interaction waits for, or that the button stands under and only they see. */
  let original: 'open' | 'used' | 'gone' = origin.how === 'button' ? 'gone' : 'open';

  async function clearOriginal(): Promise<void> {
    if (original !== 'open') return;
    original = 'gone';
    await deps.acknowledged(event);
    await api.removeAnswer(origin.application, origin.key).catch((error: unknown) => {
      // It vanishes by itself after a while.
      deps.log.debug({ error, event: event.id }, 'an interaction could not be closed');
    });
  }

  async function sayHere(key: string, notice: Notice): Promise<void> {
    const searchAfter = fresh ? undefined : event.id;
    try {
      await notices.post({ channel: place.id, reference: question, seed: `${seed}:${key}`, searchAfter }, notice);
    } catch (error) {
      // Where it may not write, it may still answer a command: at least whoever gave it sees what came of it.
      if (!['forbidden', 'archived', 'question-gone'].includes(troubleOf(error))) throw error;
      deps.log.warn(
        { channel: event.channel, event: event.id, error: toPlatformError(error, deps.now()) },
        'said privately instead',
      );
      return await sayPrivately(key, notice);
    }
    await clearOriginal();
  }

  async function sayPrivately(key: string, notice: Notice): Promise<void> {
    await deps.acknowledged(event);
    try {
      for (const [n, part] of toParts(notice, deps.split).entries()) {
        await api.patiently(() => sayPart(origin, part, n === 0 && original === 'open'));
        if (n === 0 && original === 'open') original = 'used';
      }
    } catch (error) {
      if (troubleOf(error) !== 'expired') throw error;
      if (await notices.tell(event.author.id, `${seed}:${key}`, notice)) return;
      await sayHere(key, plainNotice('That took me too long to answer privately. Please give the command again.'));
    }
  }

  async function sayPart(where: InteractionOrigin, part: ReturnType<typeof toParts>[number], isFirst: boolean) {
    const { application, key } = where;
    if (isFirst) return await api.editAnswer(application, key, part.body, part.files);
    await api.addAnswer(application, key, { ...part.body, flags: MessageFlags.Ephemeral }, part.files);
  }

  return {
    ...guarded,
    async write(piece) {
      const id = await guarded.write(piece);
      await clearOriginal();
      return id;
    },
    async withdraw() {
      await guarded.withdraw();
      await clearOriginal();
    },
    async end(unfinished) {
      await guarded.end(unfinished);
      if (unfinished === undefined) await clearOriginal();
    },
    say: (key, notice) =>
      guarded.say(async () => {
        await answer.endProgress();
        if (notice.private) await sayPrivately(key, notice);
        else await sayHere(key, notice);
      }),
  };
}
