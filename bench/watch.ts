import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Loaded before a measured program: asked by a signal, it says what the program's process is doing. */

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
process.on('SIGUSR2', () => {
  const report = { bytes: process.memoryUsage.rss(), longestDelayMs: delay.max / 1e6 };
  process.stdout.write(`${JSON.stringify({ type: 'report', report })}\n`);
  delay.reset();
});
process.stdout.write(`${JSON.stringify({ type: 'watching' })}\n`);
