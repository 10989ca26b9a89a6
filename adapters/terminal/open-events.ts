import type { Event } from '../../src/event.ts';

/** The events that wait for their end: one `say`, or the last `write`. */
export interface OpenEvents {
  /** Resolves when it has ended. Beginning again what is open already changes nothing. */
  begin(event: Event): Promise<void>;
  end(event: Event): void;
  isOpen(event: Event): boolean;
  /** Resolves when nothing is open any more. */
  idle(): Promise<void>;
}

export function createOpenEvents(onChange: (open: number) => void): OpenEvents {
  const open = new Map<string, PromiseWithResolvers<void>>();
  return {
    begin(event) {
      const before = open.get(keyOf(event));
      if (before !== undefined) return before.promise;
      const ended = Promise.withResolvers<void>();
      open.set(keyOf(event), ended);
      onChange(open.size);
      return ended.promise;
    },
    end(event) {
      const ended = open.get(keyOf(event));
      if (!open.delete(keyOf(event))) return;
      ended?.resolve();
      onChange(open.size);
    },
    isOpen: (event) => open.has(keyOf(event)),
    async idle() {
      while (open.size > 0) await Promise.all(Array.from(open.values(), ({ promise }) => promise));
    },
  };
}

/** Whatever is said to the bot gets an answer; what it overhears, and an edit or a deletion, need not. */
export function expectsEnd(event: Event): boolean {
  if (event.kind === 'message') return event.to === 'direct' || event.to === 'mention' || event.to === 'reply';
  return event.kind === 'command';
}

/** Event ids are unique within their channel. */
function keyOf(event: Event): string {
  return `${event.channel}:${event.id}`;
}
