import type { Event, Intake } from '../../src/event.ts';

/** Hands events to the core. What it does not keep is not acknowledged, so that Slack sends it again. */
export interface Taking {
  take(event: Event): Promise<void>;
  /** Once for an event that was accepted now: no earlier run can have begun to answer it. */
  isFresh(event: Event): boolean;
}

/** `since`: what was said before may have been taken by an earlier run. */
export function createTaking(intake: Intake, since: number): Taking {
  const fresh = new Set<string>();
  const keyOf = (event: Event): string => `${event.channel}:${event.id}`;

  async function offer(event: Event): Promise<void> {
    const key = keyOf(event);
    const wasFresh = fresh.has(key);
    if (event.at >= since) fresh.add(key);
    try {
      const outcome = await intake.accept(event);
      if (outcome !== 'accepted' && !wasFresh) fresh.delete(key);
    } catch (error) {
      if (!wasFresh) fresh.delete(key);
      throw error;
    }
  }

  return { take: offer, isFresh: (event) => fresh.delete(keyOf(event)) };
}
