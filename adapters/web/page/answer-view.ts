import type { ComponentChild } from 'preact';
import { isOwn } from './channel-list.ts';
import { CopyButton } from './copy-button.ts';
import { askToDelete } from './deleting.ts';
import type { Answer } from './entries.ts';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { Markdown } from './markdown-view.ts';
import { toSentence } from './numbers.ts';
import { BotAvatar } from './people.ts';
import { command } from './sending.ts';
import { me } from './session.ts';
import type { Talk } from './talk.ts';
import { toClock, toMoment } from './time.ts';

interface AnswerProps {
  talk: Talk;
  answer: Answer;
  newest: boolean;
}

export function AnswerView({ talk, answer, newest }: AnswerProps): ComponentChild {
  const { at, pieces, done, partial, tools, versions, model } = answer;
  const mine = me.value !== undefined && answer.question.startsWith(`${me.value.person.id}.`);
  // While it is written, Stop stands where the next message is typed.
  const actions = done && newest && isOwn.value ? offeredBy(answer, mine || (me.value?.admin ?? false)) : [];
  const written = pieces.some(({ text }) => text !== '');
  return html`<li class="entry answer" data-question=${answer.question} aria-busy=${!done}>
    <${BotAvatar} />
    <div class="entry-body">
      <div class="entry-head">
        <span class="who">Channelore</span>
        ${done ? html`<time datetime=${new Date(at).toISOString()} title=${toMoment(at)}>${toClock(at)}</time>` : ''}
        ${done && model !== undefined ? html`<span class="note">${model}</span>` : ''}
        ${versions > 1 ? html`<span class="note">answer ${versions}</span>` : ''}
      </div>
      ${pieces.map((piece) => html`<${Markdown} key=${piece.id} text=${piece.text} done=${done} />`)}
      ${
        !done && (!written || (answer.note ?? '') !== '')
          ? html`<p class="progress"><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>
              ${answer.note || html`<span class="unseen">Channelore is writing</span>`}</p>`
          : ''
      }
      ${tools.length === 0 ? '' : html`<${ToolsUsed} tools=${tools} />`}
      ${partial === undefined ? '' : html`<p class="partial">${toSentence(partial)}</p>`}
      ${
        actions.length === 0
          ? ''
          : html`<div class="entry-actions">
              ${actions.map(
                (action) => html`<button type="button" class="button small"
                  onClick=${() => void command(talk, action.command, answer.target)}>${action.label}</button>`,
              )}
            </div>`
      }
    </div>
    ${
      done
        ? html`<div class="entry-tools" role="group" aria-label="What can be done with this answer">
            <${CopyButton} label="Copy this answer" text=${pieces.map(({ text }) => text).join('')} />
            ${
              mine && isOwn.value
                ? html`<button type="button" class="icon-button small" title="Delete" aria-label="Delete this answer"
                    onClick=${() => askToDelete(talk, 'answer', pieces[0]?.id ?? '')}>${icon('trash', 16)}</button>`
                : ''
            }
          </div>`
        : ''
    }
  </li>`;
}

/** What was offered under it is not kept with it; another answer can always be had. */
function offeredBy({ actions }: Answer, mayRetry: boolean): Answer['actions'] {
  if (actions.length > 0) return actions;
  return mayRetry ? [{ label: 'Retry', command: 'retry' }] : [];
}

function ToolsUsed({ tools }: { tools: Answer['tools'] }): ComponentChild {
  return html`<details class="tools-used">
    <summary>Used ${tools.map(({ name }) => name).join(', ')}</summary>
    ${tools.map((tool) => html`<pre>${tool.name}(${tool.arguments})${'\n'}${tool.result}</pre>`)}
  </details>`;
}
