import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { BotError } from '../errors.ts';
import type { Chart } from './charts.ts';

/**
 * A chart as a PNG, drawn in a thread of its own, so that nobody's answer waits for it. The thread stays a while for
 * whoever asks next, then goes, with the memory that the library takes.
 */

const drawMs = 20_000;
const idleMs = 30_000;
const answerSchema = z.union([z.object({ png: z.instanceof(Uint8Array) }), z.object({ problem: z.string() })]);

let thread: Worker | undefined;
let idle: NodeJS.Timeout | undefined;
/** One after the other. */
let last: Promise<unknown> = Promise.resolve();

export async function drawChart(chart: Chart): Promise<Uint8Array> {
  const mine = last.then(() => draw(chart));
  last = mine.catch(() => undefined);
  return await mine;
}

async function draw(chart: Chart): Promise<Uint8Array> {
  clearTimeout(idle);
  // What the library has to say about a chart is not for the program's own output.
  thread ??= new Worker(new URL('./chart-worker.ts', import.meta.url), { stdout: true, stderr: true });
  const worker = thread;
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const timer = setTimeout(() => reject(new Error('drawing took too long')), drawMs);
  worker.ref();
  worker.once('message', resolve).once('error', reject).once('exit', reject);
  try {
    worker.postMessage(chart);
    const answer = answerSchema.parse(await promise);
    if ('problem' in answer) throw new Error(answer.problem);
    idle = setTimeout(end, idleMs).unref();
    return answer.png;
  } catch (cause) {
    end();
    throw new BotError('bug', 'the chart could not be drawn', { cause });
  } finally {
    clearTimeout(timer);
    worker.off('message', resolve).off('error', reject).off('exit', reject);
    worker.unref();
  }
}

function end(): void {
  void thread?.terminate();
  thread = undefined;
}
