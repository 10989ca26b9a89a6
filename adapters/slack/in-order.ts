/** What happens in one channel is taken in the order it came, however long each takes; channels side by side. */
export interface InOrder {
  add<T>(key: string, task: () => Promise<T>): Promise<T>;
}

export function createInOrder(): InOrder {
  const tails = new Map<string, Promise<unknown>>();
  return {
    add(key, task) {
      const mine = (tails.get(key) ?? Promise.resolve()).then(task);
      const settled = mine.catch(() => undefined);
      tails.set(key, settled);
      void settled.then(() => {
        if (tails.get(key) === settled) tails.delete(key);
      });
      return mine;
    },
  };
}
