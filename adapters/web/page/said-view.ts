import type { ComponentChild } from 'preact';
import { type Said, without } from './entries.ts';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { Markdown } from './markdown-view.ts';
import { command } from './sending.ts';
import type { Talk } from './talk.ts';

/** What is said beside the conversation: the result of a command, a warning. */
export function SaidView({ talk, said }: { talk: Talk; said: Said }): ComponentChild {
  const dismiss = () => talk.change((entries) => without(entries, `said ${said.id}`));
  return html`<li class=${said.text.startsWith('⚠️') ? 'said warning-said' : 'said'} data-said=${said.question}>
    <div class="said-head">
      ${
        said.private
          ? html`${icon('eye', 14)} Only you see this
              <button type="button" class="icon-button small" aria-label="Dismiss" onClick=${dismiss}>
                ${icon('close', 14)}
              </button>`
          : 'To everybody here'
      }
    </div>
    <${Markdown} text=${said.text} done=${true} />
    <${Files} files=${said.files} />
    ${
      said.actions.length === 0
        ? ''
        : html`<div class="entry-actions">
            ${said.actions.map(
              (action) => html`<button type="button" class="button small"
                onClick=${() => void command(talk, action.command, said.target)}>${action.label}</button>`,
            )}
          </div>`
    }
  </li>`;
}

export function Files({ files }: { files: Said['files'] }): ComponentChild {
  if (files.length === 0) return null;
  return html`<div class="attachments">
    ${files.map(
      ({ id, name }) => html`<a class="attachment" href=${`/api/files/${encodeURIComponent(id)}`} download=${name}>
        ${icon('download', 15)} <span class="name" dir="auto">${name}</span>
      </a>`,
    )}
  </div>`;
}
