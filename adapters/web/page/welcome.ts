import { signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { inspectorOpen, toggleInspector } from './inspected.ts';
import { minutes } from './minutes.ts';
import { command, say } from './sending.ts';
import { me } from './session.ts';
import { naming } from './sidebar.ts';
import type { Talk } from './talk.ts';

/** A newcomer sees the memory work: something is told, asked for, and folded. */

interface Step {
  title: string;
  what: string;
  run(talk: Talk): Promise<void>;
}

const steps: readonly Step[] = [
  {
    title: 'Tell it something',
    what: '“The release is on Friday at noon, and Mira signs it off.”',
    run: (talk) => say(talk, 'The release is on Friday at noon, and Mira signs it off.', []),
  },
  {
    title: 'Ask for it later',
    what: '“When is the release, and who signs it off?”',
    run: (talk) => say(talk, 'When is the release, and who signs it off?', []),
  },
  {
    title: 'Watch it fold',
    what: 'Makes this channel’s memory small and talks until the oldest turns become a summary.',
    run: fillMemory,
  },
  {
    title: 'Give it its usual memory back',
    what: 'What is folded stays folded; from here on there is room again.',
    run: (talk) => command(talk, 'settings clear memory_tokens'),
  },
];

/** The first of them to begin with; the others follow from one to the next. */
const offered = 3;

/** How many steps were taken in each conversation. */
const taken = signal<ReadonlyMap<string, number>>(new Map());

async function take(talk: Talk, at: number): Promise<void> {
  taken.value = new Map([...taken.value, [talk.key, at + 1]]);
  await steps[at]?.run(talk);
}

async function fillMemory(talk: Talk): Promise<void> {
  if (!inspectorOpen.value && matchMedia('(min-width: 1081px)').matches) toggleInspector();
  await command(talk, 'settings set memory_tokens 1000');
  for (const minute of minutes) await say(talk, minute, []);
}

export function Welcome({ talk }: { talk: Talk }): ComponentChild {
  return html`<div class="welcome">
    <h2>This channel remembers what is said in it</h2>
    <p>Channelore answers from the channel’s own history. What no longer fits into its token budget word for word is
      folded into a summary. The memory beside the conversation shows each step.</p>
    <p>You are <strong>${me.value?.person.name}</strong> here: <button type="button" class="link-button" onClick=${() => {
      naming.value = true;
    }}>choose a name</button>, so that people are told apart.</p>
    <ol class="steps">
      ${steps.slice(0, offered).map(
        ({ title, what }, at) => html`<li>
          <button type="button" class="step" onClick=${() => void take(talk, at)}>
            <span class="number" aria-hidden="true">${at + 1}</span>
            <span><strong>${title}</strong><span class="what">${what}</span></span>
            ${icon('chevron')}
          </button>
        </li>`,
      )}
    </ol>
  </div>`;
}

/** The next of the steps, once one was taken. */
export function NextStep({ talk }: { talk: Talk }): ComponentChild {
  const at = taken.value.get(talk.key) ?? 0;
  const next = steps[at];
  if (at === 0 || next === undefined) return null;
  if (talk.entries.value.some((entry) => entry.kind === 'answer' && !entry.done)) return null;
  return html`<div class="guide">
    <button type="button" class="button small" onClick=${() => void take(talk, at)}>${icon('chevron', 14)} ${next.title}</button>
    <span>${next.what}</span>
  </div>`;
}
