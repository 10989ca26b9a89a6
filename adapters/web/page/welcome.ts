import type { ComponentChild } from 'preact';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { me } from './session.ts';
import { naming } from './sidebar.ts';
import type { Talk } from './talk.ts';
import { firstSteps, isTourOffered, nextStep, takeStep, tourProblem } from './tour.ts';

/** Stands where nothing was said yet. */
export function Welcome({ talk }: { talk: Talk }): ComponentChild {
  return html`<div class="welcome">
    <h2>This channel remembers what is said in it</h2>
    <p>Channelore answers from the channel’s own history. What no longer fits into its token budget in full is
      summarised. The memory beside the conversation shows each step.</p>
    <p>You are <strong>${me.value?.person.name}</strong> here: <button type="button" class="link-button" onClick=${() => {
      naming.value = true;
    }}>choose a name</button>, so others know who is writing.</p>
    ${
      isTourOffered(talk)
        ? html`<ol class="steps">
            ${firstSteps.map(
              (step, at) => html`<li>
                <button type="button" class="step" onClick=${() => void takeStep(talk, step)}>
                  <span class="number" aria-hidden="true">${at + 1}</span>
                  <span><strong>${step.title}</strong><span class="what">${step.what}</span></span>
                  ${icon('chevron')}
                </button>
              </li>`,
            )}
          </ol>`
        : ''
    }
  </div>`;
}

/** The next step of the tour, once one was taken. */
export function NextStep({ talk }: { talk: Talk }): ComponentChild {
  if (tourProblem.value !== '') {
    return html`<div class="guide" role="status">${tourProblem.value}</div>`;
  }
  const step = nextStep(talk);
  if (step === undefined) return null;
  return html`<div class="guide">
    <button type="button" class="button small" onClick=${() => void takeStep(talk, step)}>${icon('chevron', 14)} ${step.title}</button>
    <span>${step.what}</span>
  </div>`;
}
