import type { Metrics } from '../operations/metrics.ts';
import type { Store } from './store.ts';

/** The same store, its failures counted. */
export function observedStore(store: Store, metrics: Pick<Metrics, 'storeFailed'>): Store {
  async function counted<T>(operation: 'read' | 'write' | 'list', run: Promise<T>): Promise<T> {
    try {
      return await run;
    } catch (error) {
      metrics.storeFailed(operation);
      throw error;
    }
  }
  return {
    get: (kind, id) => counted('read', store.get(kind, id)),
    list: (kind, prefix, range) => counted('list', store.list(kind, prefix, range)),
    commit: (records) => counted('write', store.commit(records)),
    erase: (keys) => counted('write', store.erase(keys)),
    close: () => store.close(),
  };
}
