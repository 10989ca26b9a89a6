import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { Inspection } from '../views.ts';
import { BudgetView } from './budget-view.ts';
import { channelName, isOwn, threadName } from './channel-list.ts';
import { useDrawerFocus } from './drawer.ts';
import { FoldsView } from './folds-view.ts';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { inspected, toggleInspector } from './inspected.ts';
import { MemoryOrders } from './memory-orders.ts';
import { toCount, toNoun, toShare } from './numbers.ts';
import { Avatar } from './people.ts';
import { place } from './place.ts';
import { PromptDialog } from './prompt-dialog.ts';
import { settingRole } from './role-dialog.ts';
import { toMoment } from './time.ts';

/** What is remembered of the conversation that is open, and what of it is sent. */
export function Inspector(): ComponentChild {
  const state = inspected.value;
  const closing = useDrawerFocus<HTMLButtonElement>('(max-width: 1080px)', true);
  const key = place.value.thread ?? place.value.channel ?? '';
  const name = place.value.thread === undefined ? `#${channelName.value}` : threadName.value;
  return html`<aside class="pane inspector" aria-label="Memory">
    <div class="pane-head">
      <div class="pane-title"><h2>Memory</h2> <span class="hint">${name}</span></div>
      <button type="button" class="icon-button" ref=${closing} aria-label="Close the memory" title="Close"
        onClick=${toggleInspector}>${icon('close')}</button>
    </div>
    <div class="inspector-scroll" tabindex="0" role="region" aria-label="What is remembered">
      ${state.is === 'loading' ? html`<p class="empty">Looking…</p>` : ''}
      ${state.is === 'failed' ? html`<p class="warning" role="alert">${state.problem}</p>` : ''}
      ${state.is === 'ready' ? html`<${Contents} key=${key} memory=${state.memory} channel=${key} />` : ''}
    </div>
  </aside>`;
}

function Contents({ memory, channel }: { memory: Inspection; channel: string }): ComponentChild {
  const [prompt, setPrompt] = useState(false);
  return html`
    <${BudgetView} memory=${memory} onPrompt=${() => setPrompt(true)} />
    ${prompt ? html`<${PromptDialog} channel=${channel} onClose=${() => setPrompt(false)} />` : ''}
    <${FoldsView} memory=${memory} channel=${channel} />
    <${Recalled} memory=${memory} />
    <${Role} memory=${memory} />
    <${Contributors} memory=${memory} />
    <${MemoryOrders} memory=${memory} />
    <${Changes} memory=${memory} />
  `;
}

function Recalled({ memory }: { memory: Inspection }): ComponentChild {
  const { recalled } = memory;
  if (recalled.length === 0) return null;
  const more = recalled.slice(shownAtOnce);
  return html`<section aria-label="Looked up">
    <h3>Looked up for the last answer <span class="hint">${toNoun(recalled.length, 'message')}</span></h3>
    <${Snippets} snippets=${recalled.slice(0, shownAtOnce)} />
    ${
      more.length === 0
        ? ''
        : html`<details class="more"><summary>${toCount(more.length)} more</summary><${Snippets} snippets=${more} /></details>`
    }
  </section>`;
}

const shownAtOnce = 3;
/** Answers where no chat API is set up. */
const demoModel = 'demo';

function Snippets({ snippets }: { snippets: Inspection['recalled'] }): ComponentChild {
  return html`<ul class="recalled">
      ${snippets.map(
        ({ name, at, text, link }) => html`<li>
          <span class="hint">${name}, ${toMoment(at)}
            ${link?.startsWith('https://') !== true ? '' : html` · <a href=${link} target="_blank" rel="noopener noreferrer">open</a>`}
          </span>
          <p>${text}</p>
        </li>`,
      )}
    </ul>`;
}

function Role({ memory }: { memory: Inspection }): ComponentChild {
  return html`<section aria-label="Role">
    <h3>Role ${memory.preset === undefined ? '' : html`<span class="hint">preset ${memory.preset}</span>`}</h3>
    <p class="role-text" tabindex="0">${memory.role}</p>
    <p class="under">Always sent first. Model: ${memory.model}${memory.model === demoModel ? ' (no API key set)' : ''}</p>
    ${
      isOwn.value && place.value.thread === undefined
        ? html`<div class="button-row under"><button type="button" class="button small" onClick=${() => {
            settingRole.value = true;
          }}>${icon('pencil', 14)} Change the role</button></div>`
        : ''
    }
  </section>`;
}

function Contributors({ memory }: { memory: Inspection }): ComponentChild {
  if (memory.contributors.length === 0) return null;
  const most = Math.max(...memory.contributors.map(({ tokens }) => tokens));
  return html`<section aria-label="Who contributed">
    <h3>Who contributed</h3>
    <ul class="people">
      ${memory.contributors.map(
        ({ name, turns, tokens }) => html`<li>
          <${Avatar} name=${name} small=${true} />
          <div>${name}<div class="meter"><i style=${{ width: toShare(tokens, most) }}></i></div></div>
          <span class="hint">${toNoun(turns, 'message')}<br />${toCount(tokens)} tokens</span>
        </li>`,
      )}
    </ul>
  </section>`;
}

function Changes({ memory }: { memory: Inspection }): ComponentChild {
  if (memory.changes.length === 0) return null;
  return html`<section aria-label="Changes">
    <h3>Changes</h3>
    <ul class="changes">
      ${memory.changes.map(({ at, by, what }) => html`<li>${what} <span class="hint">${by}, ${toMoment(at)}</span></li>`)}
    </ul>
  </section>`;
}
