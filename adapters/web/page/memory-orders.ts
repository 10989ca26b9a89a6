import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { Inspection } from '../views.ts';
import type { OrderAnswer } from '../wire.ts';
import { isOwn } from './channel-list.ts';
import { confirmFirst } from './confirm-dialog.ts';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { inspected, order } from './inspected.ts';
import { Markdown } from './markdown-view.ts';
import { inspectedTalk } from './open-channel.ts';
import { Files } from './said-view.ts';
import { command } from './sending.ts';
import { problemOf } from './server.ts';
import { me } from './session.ts';

type Result = OrderAnswer | { problem: string };

/** What can be done with the memory from here; what cannot be undone asks first. */
export function MemoryOrders({ memory }: { memory: Inspection }): ComponentChild {
  const [result, setResult] = useState<Result | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const [last, setLast] = useState('2');
  const admin = me.value?.admin ?? false;
  const give = async (line: string) => {
    setBusy(true);
    setResult(await order(line).catch((error: unknown): Result => ({ problem: problemOf(error) })));
    setBusy(false);
  };
  const button = (line: string, label: unknown, act = give) => html`<button type="button" disabled=${busy}
    class="button small" onClick=${() => void act(line)}>${label}</button>`;
  /** The program says what goes, and erases only when it is told again. */
  const erase = async (title: string, line: string) => {
    setBusy(true);
    try {
      const asked = await order(line);
      const [yes] = asked.actions;
      if (yes === undefined) setResult(asked);
      else
        confirmFirst({
          title,
          text: toText(asked),
          action: yes.label,
          run: async () => setResult(await order(yes.command)),
        });
    } catch (error) {
      setResult({ problem: problemOf(error) });
    }
    setBusy(false);
  };
  const danger = (line: string, label: string, title: string) => html`<button type="button" disabled=${busy}
    class="button small danger" onClick=${() => void erase(title, line)}>${label}</button>`;
  // In the console's own channels everybody there is told.
  const talk = inspectedTalk.value;
  const openly = isOwn.value && talk !== undefined ? (line: string) => command(talk, line) : give;
  return html`<section aria-label="What can be done with the memory">
    <h3>Manage this memory</h3>
    <div class="button-row">
      ${memory.undoable ? button('undo', html`${icon('undo', 14)} Undo the reset`, openly) : ''}
      ${button('reset', html`${icon('broom', 14)} Reset`, openly)}
      ${admin ? button('memory export', html`${icon('download', 14)} Export`) : ''}
      ${admin && memory.folds.length > 0 ? button('memory rewrite', 'Regenerate the summaries') : ''}
    </div>
    <div class="button-row under forget">
      <label class="forget-last">Forget the last
        <input class="input" type="number" min="1" max="99" value=${last} onInput=${(event: InputEvent) => {
          if (event.target instanceof HTMLInputElement) setLast(event.target.value);
        }} />
      </label>
      ${danger(`forget last ${last}`, 'Forget', `Forget the last ${last} messages?`)}
      ${isOwn.value ? danger('forget me', 'Forget me', 'Forget everything you wrote?') : ''}
      ${admin ? danger('forget everything', 'Forget everything', 'Forget everything that was said here?') : ''}
    </div>
    <div aria-live="polite">
      ${result === undefined || inspected.value.is !== 'ready' ? '' : html`<${Outcome} result=${result} busy=${busy} give=${give} onClose=${() => setResult(undefined)} />`}
    </div>
  </section>`;
}

function toText({ text }: OrderAnswer): ComponentChild {
  return html`<${Markdown} text=${text} done=${true} />`;
}

interface OutcomeProps {
  result: Result;
  busy: boolean;
  give(line: string): Promise<void>;
  onClose(): void;
}

function Outcome({ result, busy, give, onClose }: OutcomeProps): ComponentChild {
  if ('problem' in result) return html`<p class="warning order-result">${result.problem}</p>`;
  return html`<div class="said order-result">
    <div class="said-head">Only you see this
      <button type="button" class="icon-button small" aria-label="Dismiss" onClick=${onClose}>${icon('close', 14)}</button>
    </div>
    <${Markdown} text=${result.text} done=${true} />
    <${Files} files=${result.files} />
    ${
      result.actions.length === 0
        ? ''
        : html`<div class="entry-actions">
            ${result.actions.map(
              (action) => html`<button type="button" class="button small" disabled=${busy}
                onClick=${() => void give(action.command)}>${action.label}</button>`,
            )}
          </div>`
    }
  </div>`;
}
