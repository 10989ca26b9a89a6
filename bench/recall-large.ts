import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createChanges } from '../src/conversation/changes.ts';
import { createConversations } from '../src/conversation/conversations.ts';
import { createFoldTexts } from '../src/conversation/folds.ts';
import { appendTurn } from '../src/conversation/journal.ts';
import { createRecall } from '../src/conversation/recall.ts';
import type { TokenCounter } from '../src/conversation/tokens.ts';
import { createLog } from '../src/log.ts';
import { openStore } from '../src/storage/open.ts';
import { room } from './core.ts';
import { inFolder } from './process.ts';
import type { Conversation } from './recall-conversations.ts';
import { digits } from './row.ts';

/** One channel of 50,000 messages in the real journal on SQLite: what its first question costs, and those after it. */

const messages = 50_000;
const atOnce = 2000;
const asked = 200;
const minuteMs = 60_000;

export async function measureLarge(conversations: readonly Conversation[], counter: TokenCounter): Promise<string> {
  return await inFolder(async (folder) => {
    const store = await openStore(`sqlite:${path.join(folder, 'large.db')}`);
    const kept = createConversations(
      store,
      { tokens: 50_000 },
      Date.now,
      createChanges(),
      createFoldTexts(store, () => undefined),
    );
    const channel = room('large');
    const turns = conversations.flatMap((one) => one.turns);
    for (let done = 0; done < messages; done += atOnce) {
      await kept.change(channel, (before) => {
        let state = before;
        const records = new Map<string, { key: string; value: unknown }>();
        for (let n = done; n < done + atOnce; n++) {
          const { speaker = 'Ann', text = '' } = turns[n % turns.length] ?? {};
          // Repetitions differ in a word, or there would be fewer words than in a talk of that length.
          const words = n < turns.length ? text : `${text} ${n.toString(36)}`;
          const at = Date.UTC(2026, 0, 1) + n * minuteMs;
          const said = {
            id: `m${n}`,
            at,
            role: 'user' as const,
            author: speaker,
            name: speaker,
            text: words,
            tokens: 40,
          };
          const step = appendTurn(state, said, kept.limit);
          for (const one of step.records) records.set(one.key, one);
          state = step.state;
        }
        return { step: { state, records: [...records.values()] }, value: undefined };
      });
    }
    const log = createLog({ level: 'silent', format: 'json', secrets: [] });
    const recall = createRecall({ conversations: kept, log });
    const questions = conversations.flatMap((one) => one.questions.map(({ text }) => text)).slice(0, asked);
    const search = async (text: string): Promise<{ ms: number; cpuMs: number }> => {
      const from = performance.now();
      const cpu = process.threadCpuUsage();
      await recall.search(channel, { text, people: [], isShown: () => false, maxTokens: 1000, counter });
      const { user, system } = process.threadCpuUsage(cpu);
      return { ms: performance.now() - from, cpuMs: (user + system) / 1000 };
    };
    globalThis.gc?.();
    const before = process.memoryUsage();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const first = await search(questions[0] ?? '');
    const building = delay.max / 1e6;
    globalThis.gc?.();
    const after = process.memoryUsage();
    delay.reset();
    const times: { ms: number; cpuMs: number }[] = [];
    for (const text of questions) times.push(await search(text));
    delay.disable();
    await store.close();
    const held = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    const at = (share: number, pick: 'ms' | 'cpuMs'): string => {
      const sorted = times.map((one) => one[pick]).sort((a, b) => a - b);
      return digits(sorted[Math.floor(sorted.length * share)] ?? 0);
    };
    return [
      `A channel of ${messages} messages, from its journal on SQLite: index built and first question answered in`,
      `${digits(first.ms)} ms (${digits(first.cpuMs)} ms of processor time), ${digits(held / 1e6)} MB held, the event loop held`,
      `${digits(building)} ms at most; further questions p50 ${at(0.5, 'ms')} ms (${at(0.5, 'cpuMs')}), p99 ${at(0.99, 'ms')} ms (${at(0.99, 'cpuMs')}).`,
    ].join('\n');
  });
}
