/** What happens in one channel is taken in the order it came, however long each takes; channels side by side. */
export interface InOrder {
  add(key: string, task: () => Promise<void>): void;
  idle(): Promise<void>;
}

export function createInOrder(onError: (error: unknown) => void): InOrder {
  const tails = new Map<string, Promise<void>>();
  return {
    add(key, task) {
      const mine = (tails.get(key) ?? Promise.resolve()).then(task).catch(onError);
      tails.set(key, mine);
      void mine.then(() => {
        if (tails.get(key) === mine) tails.delete(key);
      });
    },
    async idle() {
      await Promise.all(tails.values());
    },
  };
}
