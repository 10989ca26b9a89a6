import { registerHooks } from 'node:module';

/** Loaded before the program: its memory store, which nothing outlives, begins with what stands in a file. */

const seeded = new URL('./seeded-memory.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const isTheStores = specifier === './memory.ts' && context.parentURL?.endsWith('/src/storage/open.ts');
    return isTheStores ? { url: seeded, format: 'module-typescript', shortCircuit: true } : next(specifier, context);
  },
});
