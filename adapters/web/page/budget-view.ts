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
  folds: 'Summaries',
  turns: 'Recent messages, in full',
  recall: 'Reserved for search hits',
  question: 'The next message',
};

/** What the next prompt takes of the budget, and how near the next summary is. */
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
    <${SmallerBudget} memory=${memory} />
    ${memory.leftOut ? html`<p class="warning under">The oldest messages do not fit: they are left out until they are summarised.</p>` : ''}
    <div class="button-row next-prompt">
      <button type="button" class="button small" onClick=${onPrompt}>${icon('eye', 14)} The exact next prompt</button>
    </div>
  </section>
  <${NextFold} memory=${memory} />`;
}

/** Why less is sent than what is set. */
function SmallerBudget({ memory }: { memory: Inspection }): ComponentChild {
  const { model, budget } = memory;
  const { total, set, readable, ratio } = budget;
  if (total === set) return null;
  const more = Math.round(1000 * (ratio - 1)) / 10;
  return html`<p class="under">
    Set to ${toCount(set)} tokens.
    ${readable === undefined ? '' : ` ${model} can read ${toCount(readable)} beside its answer.`}
    ${ratio === 1 ? '' : ` ${model} counts ${more < 0.1 ? 'a little' : `${more}%`} more tokens than are counted here, so the prompt is kept smaller.`}
  </p>`;
}

function NextFold({ memory }: { memory: Inspection }): ComponentChild {
  const { high, low, raw } = memory.marks;
  const written = inspectedTalk.value?.fold.value;
  const folding = written !== undefined || memory.folding;
  return html`<section aria-label="The next summary">
    <h3>Until the next summary <span class="hint">${toCount(raw)} of ${toCount(high)} tokens</span></h3>
    <div class=${folding ? 'meter busy' : 'meter'} role="meter" aria-label="Tokens that are not summarised yet"
      aria-valuenow=${Math.min(raw, high)} aria-valuemin="0" aria-valuemax=${high}>
      <i style=${{ width: toShare(Math.min(raw, high), high) }}></i>
      <b style=${{ left: toShare(low, high) }} title="So much stays in full"></b>
    </div>
    ${
      folding
        ? html`<p class="folding-note"><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>
            ${written === undefined || written.to === 0 ? 'Summarising the oldest messages…' : `Summarising messages ${toTurn(written.from)} to ${toTurn(written.to)}: ${Math.round(100 * written.done)}%`}</p>`
        : html`<p class="under">
            At ${toCount(high)} tokens the oldest messages are summarised, leaving ${toCount(low)} in full.
          </p>`
    }
  </section>`;
}
