import { BotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';

/**
 * The answers being written, one a channel at most. Whoever changes what an answer stands on, or wants it ended, says
 * here what is to become of it; the answer itself carries it out.
 */

/** What becomes of an answer that is interrupted. */
type Verdict =
  | 'stop' // what was written stays, marked
  | 'again' // its prompt is out of date: written anew
  | 'drop' // its memory was put away: shown, not remembered
  | 'withdraw'; // its question is gone: taken back

export interface Running {
  channel: ChannelId;
  /** The platform's id of the question, and who asked it. */
  question: string;
  person: string;
  signal: AbortSignal;
  verdict(): Verdict | undefined;
  /** Why, for the person. */
  reason(): string;
  end(): void;
}

export interface RunningAnswers {
  begin(channel: ChannelId, question: string, person: string): Running;
  current(channel: ChannelId): Running | undefined;
  /** Resolves when no answer to the question is being written there any more, kept or not; or when the signal fires. */
  over(channel: ChannelId, question: string, signal: AbortSignal): Promise<void>;
  interrupt(channel: ChannelId, verdict: Verdict, reason: string): boolean;
  /** The channel and those of its threads where an answer is being written. */
  family(channel: ChannelId): ChannelId[];
  count(): number;
}

interface Interruptible extends Running {
  interrupt(verdict: Verdict, reason: string): void;
  over: Promise<void>;
}

const strength: Record<Verdict, number> = { again: 0, stop: 1, drop: 2, withdraw: 3 };

export function createRunningAnswers(): RunningAnswers {
  const running = new Map<ChannelId, Interruptible>();

  return {
    begin(channel, question, person) {
      const abort = new AbortController();
      let verdict: Verdict | undefined;
      let reason = '';
      const { promise: over, resolve: tellOver } = Promise.withResolvers<void>();
      const one = {
        channel,
        question,
        person,
        signal: abort.signal,
        verdict: () => verdict,
        reason: () => reason,
        /** The stronger verdict holds: a question that is gone is not answered again because of an edit. */
        interrupt(next: Verdict, why: string) {
          if (verdict !== undefined && strength[verdict] >= strength[next]) return;
          verdict = next;
          reason = why;
          abort.abort(new BotError('stopped', why));
        },
        end() {
          if (running.get(channel) === one) running.delete(channel);
          tellOver();
        },
        over,
      };
      running.get(channel)?.end();
      running.set(channel, one);
      return one;
    },
    current: (channel) => running.get(channel),
    async over(channel, question, signal) {
      if (running.get(channel)?.question !== question) return;
      const fired = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => fired.resolve(), { once: true });
      // One that is written anew is another one.
      for (let one = running.get(channel); one?.question === question && !signal.aborted; one = running.get(channel)) {
        await Promise.race([one.over, fired.promise]);
      }
    },
    interrupt(channel, verdict, reason) {
      const one = running.get(channel);
      one?.interrupt(verdict, reason);
      return one !== undefined;
    },
    family: (channel) => [...running.keys()].filter((one) => one === channel || one.startsWith(`${channel}/`)),
    count: () => running.size,
  };
}
