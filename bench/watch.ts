import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Loaded before a measured program: asked by a signal, it says what the program's process is doing. */

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
process.on('SIGUSR2', () => {
  const { user, system } = process.cpuUsage();
  const cpuMs = (user + system) / 1000;
  const report = { bytes: process.memoryUsage.rss(), longestDelayMs: delay.max / 1e6, cpuMs };
  process.stdout.write(`${JSON.stringify({ type: 'report', report })}\n`);
  delay.reset();
});
process.stdout.write(`${JSON.stringify({ type: 'watching' })}\n`);
