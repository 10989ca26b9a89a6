import { type ChannelId, parentChannel } from '../event.ts';

/**
 * Order: one piece of work at a time per channel, in the order the places were taken; channels side by side up to a
 * bound, whoever is ready first. Urgent work keeps an order of its own and waits for nobody else; but what comes after
 * it, in its channel and in that channel's threads, waits for it: a question after a deletion is asked without what was
 * deleted.
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

export interface Place {
  /** Nothing stood before it when it was taken, so that it starts as soon as it runs. */
  readonly isNext: boolean;
  run(work: () => Promise<void>): void;
  leave(): void;
}

interface Slot {
  work: (() => Promise<void>) | undefined;
  /** Urgent work that came before and has to end first. */
  behind: Set<Slot>;
}

interface Lane {
  urgent: boolean;
  channel: ChannelId;
  slots: Slot[];
  current: Slot | undefined;
  queued: boolean;
}

export function createLanes(atOnce: number): Lanes {
  const lanes = new Map<string, Lane>();
  /** Lanes whose first slot can start, in the order they became ready. */
  const ready = { urgent: [] as string[], ordinary: [] as string[] };
  let waiting = 0;
  let ordinary = 0;
  let ordinaryLanes = 0;
  let urgentOnes = 0;
  let paused = false;
  let whenIdle: (() => void)[] = [];

  function wake(key: string, lane: Lane): void {
    const first = lane.slots[0];
    if (lane.current !== undefined || lane.queued || first?.work === undefined || first.behind.size > 0) return;
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
    const slot = lane.slots.shift();
    if (slot?.work === undefined) return;
    lane.current = slot;
    waiting--;
    if (lane.urgent) urgentOnes++;
    else ordinary++;
    void slot.work().finally(() => {
      lane.current = undefined;
      if (lane.urgent) urgentOnes--;
      else ordinary--;
      tidy(key, lane);
      if (lane.urgent) release(lane.channel, slot);
      pump();
      settle();
    });
  }

  function tidy(key: string, lane: Lane): void {
    if (lane.slots.length > 0 || lane.current !== undefined) wake(key, lane);
    else if (lanes.delete(key) && !lane.urgent) ordinaryLanes--;
  }

  /** What waited behind urgent work goes on, in the channel and in its threads. */
  function release(channel: ChannelId, slot: Slot): void {
    for (const [key, lane] of lanes) {
      if (lane.urgent || (lane.channel !== channel && parentChannel(lane.channel) !== channel)) continue;
      for (const one of lane.slots) one.behind.delete(slot);
      wake(key, lane);
    }
  }

  function settle(): void {
    if (ordinary + urgentOnes > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  }

  function urgentBefore(channel: ChannelId): Slot[] {
    const above = parentChannel(channel);
    return [channel, ...(above === undefined ? [] : [above])].flatMap((one) => {
      const lane = lanes.get(urgentKey(one));
      return lane === undefined ? [] : [...(lane.current === undefined ? [] : [lane.current]), ...lane.slots];
    });
  }

  return {
    reserve(channel, urgent) {
      const key = urgent ? urgentKey(channel) : channel;
      const slot: Slot = { work: undefined, behind: new Set(urgent ? [] : urgentBefore(channel)) };
      const lane = lanes.get(key) ?? { urgent, channel, slots: [], current: undefined, queued: false };
      if (!urgent && !lanes.has(key)) ordinaryLanes++;
      lanes.set(key, lane);
      const isFirst = lane.slots.length === 0 && lane.current === undefined && slot.behind.size === 0;
      lane.slots.push(slot);
      waiting++;
      return {
        isNext: isFirst && (urgent || ordinaryLanes <= atOnce),
        run(work) {
          slot.work = work;
          wake(key, lane);
          pump();
        },
        leave() {
          waiting--;
          lane.slots.splice(lane.slots.indexOf(slot), 1);
          tidy(key, lane);
          if (urgent) release(channel, slot);
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

function urgentKey(channel: ChannelId): string {
  return `!${channel}`;
}
