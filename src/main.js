import { enableCompileCache } from 'node:module';
import path from 'node:path';

/**
 * Where the program begins: looks whether this Node can run it, and has what it compiles kept for the next start. Not
 * TypeScript, because an older Node cannot even read that, and because this one must load what strips types for it.
 */

const neededNode = 24;
const configExit = 78;

if (Number(process.versions.node.split('.')[0]) < neededNode) {
  process.stderr.write(`channelore: needs Node ${neededNode} or newer; this is ${process.version}\n`);
  process.exit(configExit);
}
// Beside the packages, which nobody but their owner can write to; where it cannot be written, the start takes longer.
enableCompileCache(path.resolve(import.meta.dirname, '../node_modules/.cache/channelore'));
const { run } = await import('./program.ts');
await run();
