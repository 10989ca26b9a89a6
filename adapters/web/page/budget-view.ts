import type { ComponentChild } from 'preact';
import type { Inspection, PromptPart } from '../views.ts';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { toCount, toShare, toTurn } from './numbers.ts';
import { inspectedTalk } from './open-channel.ts';

const partNames: Readonly<Record<PromptPart, string>> = {
  role: 'Role',
  examples: 'Examples',
  tools: 'Tools',
  channel: 'From the channel above',
  folds: 'Folds',
  turns: 'Turns, word for word',
  recall: 'Kept for recall',
};

/** What the next prompt takes of the budget, and how near the next fold is. */
export function BudgetView({ memory, onPrompt }: { memory: Inspection; onPrompt(): void }): ComponentChild {
  const { budget } = memory;
  const parts = budget.parts.filter(({ tokens }) => tokens > 0);
  const kept = parts.find(({ part }) => part === 'recall')?.tokens ?? 0;
  const used = budget.total - budget.room - kept;
  return html`<section aria-label="The next prompt">
    <h3>Next prompt <span class="hint">${toCount(used)} of ${toCount(budget.total)} tokens</span></h3>
    <div class="budget-bar" aria-hidden="true">
      ${parts.map(({ part, tokens }) => html`<i class=${`part-${part}`} style=${{ width: toShare(tokens, budget.total) }}></i>`)}
    </div>
    <ul class="legend">
      ${parts.map(
        ({ part, tokens }) => html`<li>
          <span class=${`swatch part-${part}`}></span> ${partNames[part]} <span class="tokens">${toCount(tokens)}</span>
        </li>`,
      )}
      <li><span class="swatch part-room"></span> Room left <span class="tokens">${toCount(budget.room)}</span></li>
    </ul>
    ${memory.leftOut ? html`<p class="warning under">The oldest turns do not fit: they are left out until they are folded.</p>` : ''}
    <div class="button-row next-prompt">
      <button type="button" class="button small" onClick=${onPrompt}>${icon('eye', 14)} The exact next prompt</button>
    </div>
  </section>
  <${NextFold} memory=${memory} />`;
}

function NextFold({ memory }: { memory: Inspection }): ComponentChild {
  const { high, low, raw } = memory.marks;
  const written = inspectedTalk.value?.fold.value;
  const folding = written !== undefined || memory.folding;
  return html`<section aria-label="The next fold">
    <h3>Not folded yet <span class="hint">${toCount(raw)} of ${toCount(high)} tokens</span></h3>
    <div class=${folding ? 'meter busy' : 'meter'} role="meter" aria-label="Tokens that are not folded yet"
      aria-valuenow=${Math.min(raw, high)} aria-valuemin="0" aria-valuemax=${high}>
      <i style=${{ width: toShare(Math.min(raw, high), high) }}></i>
      <b style=${{ left: toShare(low, high) }} title="Folding ends here"></b>
    </div>
    ${
      folding
        ? html`<p class="folding-note"><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>
            ${written === undefined || written.to === 0 ? 'Folding the oldest turns…' : `Folding turns ${toTurn(written.from)} to ${toTurn(written.to)}: ${Math.round(100 * written.done)}%`}</p>`
        : html`<p class="under">
            At ${toCount(high)} the oldest turns are folded into a summary, until ${toCount(low)} are left.
          </p>`
    }
  </section>`;
}
