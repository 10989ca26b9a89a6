import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ErrorKind } from '../errors.ts';

/** What is counted for Prometheus. Labels are our own closed words: no channel, no person, no text. */
export interface Metrics {
  turnEnded(outcome: 'answered' | ErrorKind): void;
  /** From the question's acceptance to the first text a person can see. */
  firstToken(elapsedMs: number): void;
  modelCalled(outcome: 'answered' | ErrorKind): void;
  /** An error told to a person or written to the log, whatever it ended. */
  failed(kind: ErrorKind): void;
  folded(outcome: 'written' | 'dropped' | 'failed'): void;
  storeFailed(operation: 'read' | 'write' | 'list'): void;
  /** How the inbox tells, when asked, how much waits and how much runs. */
  watchQueue(read: () => { waiting: number; running: number }): void;
  /** All of it in Prometheus' text format. */
  render(): Promise<string>;
}

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, label: string): Counter =>
    new Counter({ name: `channelore_${name}`, help, labelNames: [label], registers });

  collectDefaultMetrics({ register: registry });
  watchEventLoop(registry);
  const turns = counter('turns_total', 'Turns ended, by outcome', 'outcome');
  const calls = counter('model_calls_total', 'Calls of the chat API, by outcome', 'outcome');
  const failures = counter('failures_total', 'Failures, by kind', 'kind');
  const folds = counter('folds_total', 'Folds ended, by outcome', 'outcome');
  const storeFailures = counter('store_failures_total', 'Failed store operations, by operation', 'operation');
  const firstTokens = new Histogram({
    name: 'channelore_first_token_seconds',
    help: 'From the question to the first text shown',
    buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60],
    registers,
  });

  return {
    turnEnded: (outcome) => turns.inc({ outcome }),
    firstToken: (elapsedMs) => firstTokens.observe(elapsedMs / 1000),
    modelCalled: (outcome) => calls.inc({ outcome }),
    failed: (kind) => failures.inc({ kind }),
    folded: (outcome) => folds.inc({ outcome }),
    storeFailed: (operation) => storeFailures.inc({ operation }),
    watchQueue: (read) => watchQueue(registry, read),
    render: () => registry.metrics(),
  };
}

function watchQueue(registry: Registry, read: () => { waiting: number; running: number }): void {
  const gauge = (name: string, help: string, value: () => number): Gauge =>
    new Gauge({
      name: `channelore_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  gauge('queue_length', 'Events accepted that wait for their turn', () => read().waiting);
  gauge('running', 'Events being handled now', () => read().running);
}

const resolutionMs = 10;

/** Node's sampler counts its own interval as delay; without it, an idle process shows what it is: near zero. */
function watchEventLoop(registry: Registry): void {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  new Gauge({
    name: 'channelore_event_loop_delay_seconds',
    help: 'How late timers fired since the last reading',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      for (const quantile of [0.5, 0.99, 1]) {
        const ns = delays.count === 0 ? 0 : delays.percentile(quantile * 100);
        this.set({ quantile: String(quantile) }, Math.max(0, ns / 1e9 - resolutionMs / 1e3));
      }
      delays.reset();
    },
  });
}
