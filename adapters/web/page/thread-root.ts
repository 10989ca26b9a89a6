import type { ComponentChild } from 'preact';
import { ownChannel } from './channel-list.ts';
import { html } from './html.ts';
import { Markdown } from './markdown-view.ts';
import { channelTalk } from './open-channel.ts';
import { toMoment } from './time.ts';

/** What the thread hangs from, as far as the channel beside it shows it: the question and the answer to it. */
export function ThreadRoot({ thread }: { thread: string }): ComponentChild {
  const root = ownChannel.value?.threads.find(({ id }) => id === thread)?.branchedFrom;
  const entries = channelTalk.value?.entries.value ?? [];
  const question = entries.find((entry) => entry.kind === 'message' && entry.id === root);
  const answer = entries.find((entry) => entry.kind === 'answer' && entry.question === root);
  if (question?.kind !== 'message') return null;
  const said = answer?.kind === 'answer' && answer.done ? answer.pieces.map(({ text }) => text).join('') : '';
  return html`<div class="thread-root" tabindex="0" role="group" aria-label="What the thread hangs from">
    <p class="hint">${question.person.name} in the channel, ${toMoment(question.at)}</p>
    <${Markdown} text=${question.text} done=${true} />
    ${said === '' ? '' : html`<p class="hint">Channelore answered</p><${Markdown} text=${said} done=${true} />`}
  </div>`;
}
