import type { MemoryChange, Taken } from '../conversation/changes.ts';
import type { RunningAnswers } from './running.ts';

/**
 * The one rule of what becomes of answers under way when what they may rest on is taken back: whoever takes it back, a
 * person, a command or time. Called before anything else of the channel can be committed.
 */
export function interruptAnswers(running: RunningAnswers, { channel, taken }: MemoryChange): void {
  if (taken === undefined) return;
  for (const place of running.family(channel)) {
    if (taken.why === 'reset') {
      running.interrupt(place, 'drop', `${taken.by ?? 'somebody'} reset the memory`);
      continue;
    }
    const asked = running.current(place)?.question;
    const isQuestion = place === channel && asked !== undefined && taken.messageIds.includes(asked);
    const what = isQuestion ? 'the question' : 'a message';
    if (isQuestion && taken.why !== 'edited') running.interrupt(place, 'withdraw', `${what} ${happened[taken.why]}`);
    else running.interrupt(place, 'again', `${what} ${happened[taken.why]}`);
  }
}

const happened: Record<Exclude<Taken['why'], 'reset'>, string> = {
  edited: 'was edited',
  deleted: 'was deleted',
  forgotten: 'was forgotten',
  expired: 'has expired',
};
