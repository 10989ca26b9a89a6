import type { ChannelId } from '../event.ts';
import type { Conversations } from './conversations.ts';
import type { Fold, FoldTexts } from './folds.ts';
import { type Head, liveRanges } from './head.ts';
import type { Turn } from './turn.ts';
import { toTranscript } from './wire.ts';

/** All that is recorded of a channel, for whoever wants to take it along. */
export interface ChannelExport {
  format: 'channelore-export';
  version: 1;
  channel: ChannelId;
  exportedAt: string;
  head: Head;
  /** Every turn that is remembered, erased ones as empty places. */
  turns: Turn[];
  folds: Fold[];
}

export async function exportChannel(
  memory: { conversations: Conversations; folds: FoldTexts },
  channel: ChannelId,
  now: number,
): Promise<ChannelExport> {
  const state = await memory.conversations.read(channel);
  const turns: Turn[] = [];
  for (const range of liveRanges(state.head, state.view, state.nextSeq)) {
    turns.push(...(await memory.conversations.journal.turns(channel, range)).map(withoutSources));
  }
  const inUse = new Set(state.view.folds.map((fold) => fold.id));
  const folds = (await memory.folds.all(channel)).filter(({ ref }) => inUse.has(ref.id)).map(({ fold }) => fold);
  return {
    format: 'channelore-export',
    version: 1,
    channel,
    exportedAt: new Date(now).toISOString(),
    head: state.head,
    turns,
    folds,
  };
}

/** Addresses of files may let whoever has them in. */
function withoutSources(turn: Turn): Turn {
  if (turn.attachments === undefined) return turn;
  const attachments = turn.attachments.map((one) => {
    const { from: _, ...rest } = one;
    return rest;
  });
  return { ...turn, attachments };
}

export function toMarkdown(whole: ChannelExport): string {
  const folds = whole.folds.map((fold) => `### Messages ${fold.from + 1}–${fold.to + 1}\n\n${fold.text}`);
  const turns = whole.turns
    .filter((turn) => turn.erased === undefined)
    .map((turn) => `- ${toTranscript(turn, '').replaceAll('\n', '\n  ')}`);
  return [
    `# ${whole.channel}`,
    `Exported ${whole.exportedAt}.`,
    ...(folds.length > 0 ? ['## Summaries', ...folds] : []),
    '## Messages',
    turns.join('\n'),
    '',
  ].join('\n\n');
}
