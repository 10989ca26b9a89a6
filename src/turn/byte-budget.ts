/** One bound on the bytes of what people attach, over all channels: who comes when it is reached waits for his turn. */

export interface ByteBudget {
  /** Resolves with how to give the bytes back, in the order of asking; rejects when `signal` fires before. */
  take(bytes: number, signal: AbortSignal): Promise<() => void>;
}

interface Waiting {
  bytes: number;
  start(): void;
}

export function createByteBudget(mostBytes: number): ByteBudget {
  const queue = new Set<Waiting>();
  let free = mostBytes;

  function startWaiting(): void {
    for (const waiting of queue) {
      // In order, so that a large one is not passed over for ever.
      if (waiting.bytes > free) return;
      queue.delete(waiting);
      free -= waiting.bytes;
      waiting.start();
    }
  }

  function toRelease(bytes: number): () => void {
    let held = bytes;
    return () => {
      free += held;
      held = 0;
      startWaiting();
    };
  }

  return {
    async take(wanted, signal) {
      signal.throwIfAborted();
      // Larger than the bound: alone, then.
      const bytes = Math.min(wanted, mostBytes);
      const { promise, resolve, reject } = Promise.withResolvers<() => void>();
      const waiting: Waiting = { bytes, start: () => resolve(toRelease(bytes)) };
      const giveUp = (): void => {
        // Nothing else is held: whoever stood behind it may go on.
        if (queue.delete(waiting)) reject(signal.reason);
        startWaiting();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      queue.add(waiting);
      startWaiting();
      try {
        return await promise;
      } finally {
        signal.removeEventListener('abort', giveUp);
      }
    },
  };
}
