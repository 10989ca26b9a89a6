import { loadCounter } from '../src/conversation/tokens.ts';
import type { ChannelId } from '../src/event.ts';
import type { Entry } from '../src/storage/backend.ts';
import { createMemoryBackend } from '../src/storage/memory.ts';
import { instantModel, room, startCore } from './core.ts';
import { createTraffic } from './traffic.ts';

/** What a store holds of channels that have talked for long. */
export type Grown = (channels: readonly ChannelId[]) => Entry[];

const told = room('grown');

/** One channel grows by its own talk, folds included; each of the others has the same behind it. */
export async function grow(turns: number, role: string): Promise<Grown> {
  const traffic = createTraffic(6, await loadCounter('o200k_base'));
  const backend = createMemoryBackend();
  const stock: Record<'answer' | 'fold', string[]> = { answer: [], fold: [] };
  for (let n = 0; n < turns; n += 2) stock.answer.push(await traffic.reply());
  for (let n = 0; n < turns; n += 10) stock.fold.push(await traffic.fold());
  const model = instantModel((purpose) => stock[purpose].shift() ?? 'More of the same.');
  const core = await startCore({ backend, model, role });
  for (let n = 0; n < turns; n += 2) {
    await core.ask(told, await traffic.question());
    await core.memory.idle();
  }
  const entries = await backend.list({ from: ' ', to: '\u{10ffff}', limit: undefined, reverse: false });
  await core.stop();
  const own = entries.filter(({ key }) => key.includes(told));
  const others = entries.filter(({ key }) => !key.includes(told));
  const renamed = (channel: ChannelId) =>
    own.map(({ key, value }) => ({ key: key.replaceAll(told, channel), value: value.replaceAll(told, channel) }));
  return (channels) => [...others, ...channels.flatMap(renamed)];
}
