import type { ChannelId } from '../event.ts';

/**
 * Order: one piece of work at a time per channel, in the order the places were taken; channels side by side up to a
 * bound, whoever is ready first. Urgent work keeps an order of its own and waits for nobody else.
 */
export interface Lanes {
  /** Takes the next place of the channel's order. Nothing behind it starts before it has run or left. */
  reserve(channel: ChannelId, urgent: boolean): Place;
  /** Starts nothing more. */
  pause(): void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
  waiting(): number;
  running(): number;
}

interface Place {
  run(work: () => Promise<void>): void;
  leave(): void;
}

interface Slot {
  work: (() => Promise<void>) | undefined;
}

interface Lane {
  urgent: boolean;
  slots: Slot[];
  busy: boolean;
  queued: boolean;
}

export function createLanes(atOnce: number): Lanes {
  const lanes = new Map<string, Lane>();
  /** Lanes whose first slot can start, in the order they became ready. */
  const ready = { urgent: [] as string[], ordinary: [] as string[] };
  let waiting = 0;
  let ordinary = 0;
  let urgentOnes = 0;
  let paused = false;
  let whenIdle: (() => void)[] = [];

  function wake(key: string, lane: Lane): void {
    if (lane.busy || lane.queued || lane.slots[0]?.work === undefined) return;
    lane.queued = true;
    (lane.urgent ? ready.urgent : ready.ordinary).push(key);
  }

  function pump(): void {
    while (!paused) {
      const key = ready.urgent.shift() ?? (ordinary < atOnce ? ready.ordinary.shift() : undefined);
      if (key === undefined) return;
      const lane = lanes.get(key);
      if (lane !== undefined) start(key, lane);
    }
  }

  function start(key: string, lane: Lane): void {
    lane.queued = false;
    const work = lane.slots.shift()?.work;
    if (work === undefined) return;
    lane.busy = true;
    waiting--;
    if (lane.urgent) urgentOnes++;
    else ordinary++;
    void work().finally(() => {
      lane.busy = false;
      if (lane.urgent) urgentOnes--;
      else ordinary--;
      if (lane.slots.length === 0) lanes.delete(key);
      else wake(key, lane);
      pump();
      settle();
    });
  }

  function settle(): void {
    if (ordinary + urgentOnes > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  }

  return {
    reserve(channel, urgent) {
      const key = urgent ? `!${channel}` : channel;
      const lane = lanes.get(key) ?? { urgent, slots: [], busy: false, queued: false };
      lanes.set(key, lane);
      const slot: Slot = { work: undefined };
      lane.slots.push(slot);
      waiting++;
      return {
        run(work) {
          slot.work = work;
          wake(key, lane);
          pump();
        },
        leave() {
          waiting--;
          lane.slots.splice(lane.slots.indexOf(slot), 1);
          if (lane.slots.length === 0 && !lane.busy) lanes.delete(key);
          wake(key, lane);
          pump();
        },
      };
    },
    pause() {
      paused = true;
    },
    async idle() {
      if (ordinary + urgentOnes === 0) return;
      await new Promise<void>((resolve) => whenIdle.push(resolve));
    },
    waiting: () => waiting,
    running: () => ordinary + urgentOnes,
  };
}
