import { parseArgs } from 'node:util';
import { startWebStage } from './web.ts';

/** The console with the demo model behind it, on a port of this machine: for browsers to look at. */

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    app: { type: 'string' },
    admin: { type: 'string' },
    tokens: { type: 'string', default: '1500' },
  },
});
const presets = [
  { name: 'editor', description: 'Shortens and corrects what you write' },
  { name: 'tutor', description: 'Explains step by step, and asks back' },
];
const stage = await startWebStage({
  port: Number(values.port),
  passwords: { app: values.app, admin: values.admin },
  env: { MEMORY_TOKENS: values.tokens },
  presets,
});
process.stdout.write(`${stage.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void stage.close().then(() => process.exit(0)));
}
