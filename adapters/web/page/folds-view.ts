import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { FoldView, Inspection, TurnView } from '../views.ts';
import type { Turns } from '../wire.ts';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { toCount, toNoun, toTurn } from './numbers.ts';
import { channelPath, get, problemOf } from './server.ts';

/** The folds as the tree they are, each with what it stands for, and after them what is still word for word. */
export function FoldsView({ memory, channel }: { memory: Inspection; channel: string }): ComponentChild {
  const { folds, turns } = memory;
  return html`<section aria-label="What is remembered, oldest first">
    <h3>Remembered, oldest first <span class="hint">${toNoun(turns.total, 'message')}</span></h3>
    ${
      folds.length === 0
        ? html`<p class="empty">No summaries yet.</p>`
        : html`<ul class="folds">${folds.map((fold) => html`<li key=${fold.id}><${Fold} fold=${fold} channel=${channel} /></li>`)}</ul>`
    }
    ${
      turns.verbatim === 0
        ? ''
        : html`<p class="verbatim">${toNoun(turns.verbatim, 'message')} in full
            ${turns.firstVerbatim === undefined ? '' : html`<span class="tokens">from message ${toTurn(turns.firstVerbatim)}</span>`}</p>`
    }
  </section>`;
}

function Fold({ fold, channel }: { fold: FoldView; channel: string }): ComponentChild {
  return html`<details class="fold">
    <summary>
      ${icon('chevron', 14)}
      <strong>Messages ${toTurn(fold.from)} to ${toTurn(fold.to)}</strong>
      <span class="tokens">${fold.covers === undefined ? '' : `${toCount(fold.covers)} → `}${toCount(fold.tokens)} tokens</span>
    </summary>
    <div class="fold-inside">
      <p class="fold-text as-is" tabindex="0" role="group" aria-label="The summary">${fold.text}</p>
      <p class="hint">${fold.level === 1 ? 'Written from the messages' : `Written from other summaries, level ${fold.level}`} by ${fold.model}</p>
      ${
        fold.below.length === 0
          ? html`<${Covered} fold=${fold} channel=${channel} />`
          : html`<ul class="fold-below" aria-label="The summaries it was written from">
              ${fold.below.map((below) => html`<li key=${below.id}><${Fold} fold=${below} channel=${channel} /></li>`)}
            </ul>`
      }
    </div>
  </details>`;
}

type State = { is: 'closed' } | { is: 'loading' } | { is: 'failed'; problem: string } | Shown;

interface Shown {
  is: 'shown';
  turns: readonly TurnView[];
}

const mostTurns = 200;

function Covered({ fold, channel }: { fold: FoldView; channel: string }): ComponentChild {
  const [state, setState] = useState<State>({ is: 'closed' });
  const load = async () => {
    setState({ is: 'loading' });
    const limit = Math.min(mostTurns, fold.to - fold.from + 1);
    const path = channelPath(channel, `/turns?before=${fold.to + 1}&limit=${limit}`);
    setState(
      await get<Turns>(path).then(
        ({ turns }): State => ({ is: 'shown', turns: turns.filter(({ seq }) => seq >= fold.from) }),
        (error: unknown): State => ({ is: 'failed', problem: problemOf(error) }),
      ),
    );
  };
  switch (state.is) {
    case 'closed':
      return html`<div class="button-row"><button type="button" class="button small" onClick=${() => void load()}>
        Show these messages
      </button></div>`;
    case 'loading':
      return html`<p class="empty">Looking…</p>`;
    case 'failed':
      return html`<p class="warning" role="alert">${state.problem}</p>`;
    case 'shown':
      return html`<div class="covered" tabindex="0" role="group" aria-label="The messages it covers">
        ${state.turns.map((turn) => html`<p><b>${nameOf(turn)}</b> ${turn.erased ? 'erased' : turn.text.slice(0, 2000)}</p>`)}
      </div>`;
  }
}

function nameOf({ role, name }: TurnView): string {
  return role === 'assistant' ? 'Channelore' : (name ?? 'Somebody');
}
