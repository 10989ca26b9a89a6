import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { BotError } from '../errors.ts';
import type { Chart } from './charts.ts';

/** A chart as a PNG. Drawn in a thread of its own, which ends with it: nobody's answer waits, nothing stays in memory. */

const drawMs = 20_000;
const answerSchema = z.instanceof(Uint8Array);

export async function drawChart(chart: Chart): Promise<Uint8Array> {
  const worker = new Worker(new URL('./chart-worker.ts', import.meta.url), { workerData: chart });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const fail = (cause: unknown): void => reject(new BotError('bug', 'the chart could not be drawn', { cause }));
  const timer = setTimeout(() => fail(new Error('drawing took too long')), drawMs);
  worker.once('message', resolve);
  worker.once('error', fail);
  worker.once('exit', fail);
  try {
    return answerSchema.parse(await promise);
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
