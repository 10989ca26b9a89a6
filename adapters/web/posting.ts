import { BotError } from '../../src/errors.ts';
import type { ChannelId, Event, Intake } from '../../src/event.ts';
import { familyOf, type Live } from './live.ts';
import type { OpenTalk } from './open-talk.ts';
import { plausibleAt } from './to-event.ts';
import type { Accepted } from './wire.ts';

/** Hands events to the core and, once they are durable, tells everybody what was said. */
export interface Posting {
  post(event: Event): Promise<Accepted>;
  /** As it was when the same request came before. */
  timeOf(key: string, given: number): number;
}

interface PostingDeps {
  intake: Intake;
  talk: OpenTalk;
  live: Live;
  /** Something was said in the channel. */
  touch(channel: ChannelId, at: number): void;
  now(): number;
}

const maxTimes = 5_000;

export function createPosting({ intake, talk, live, touch, now }: PostingDeps): Posting {
  const times = new Map<string, number>();

  return {
    async post(event) {
      const outcome = await intake.accept(event);
      if (outcome === 'ignored') throw new BotError('input', 'this message is no longer there');
      if (outcome === 'accepted') {
        touch(familyOf(event.channel), event.at);
        announce({ talk, live }, event);
      }
      return { id: event.id, outcome };
    },
    timeOf(key, given) {
      const at = times.get(key) ?? plausibleAt(given, now());
      times.set(key, at);
      const [oldest] = times.keys();
      if (times.size > maxTimes && oldest !== undefined) times.delete(oldest);
      return at;
    },
  };
}

/** Harmless when repeated. */
export function announce({ talk, live }: Pick<PostingDeps, 'talk' | 'live'>, event: Event): void {
  const { channel } = event;
  switch (event.kind) {
    case 'message': {
      const told = talk.message(event);
      if (told !== undefined) live.tell(channel, told);
      return;
    }
    case 'edit':
      live.tell(channel, talk.edited(channel, event.messageId, event.text));
      return;
    case 'delete':
      live.tell(channel, talk.deleted(channel, event.messageIds));
      return;
    case 'command':
      return;
  }
}
