import { effect, signal } from '@preact/signals';
import { ownChannel } from './channel-list.ts';
import type { Entry } from './entries.ts';
import { endFirstVisit, isFirstVisit } from './first-visit.ts';
import { inspectorOpen, orderIn, toggleInspector } from './inspected.ts';
import { minutes } from './minutes.ts';
import { say } from './sending.ts';
import { isRefused, problemOf } from './server.ts';
import { me } from './session.ts';
import type { Talk } from './talk.ts';

/**
 * A newcomer sees the memory work, in the conversation that nobody else sees: something is told, asked for, and
 * summarised. What is refused on the way ends it, and the memory has its normal size again.
 */

interface Step {
  title: string;
  what: string;
  /** Throws, with a sentence, where it came to nothing. */
  run(talk: Talk): Promise<void>;
}

const told = 'The release is on Friday at noon, and Mira signs it off.';
const asked = 'When is the release, and who signs it off?';

const steps: readonly Step[] = [
  { title: 'Tell it something', what: `“${told}”`, run: (talk) => ask(talk, told) },
  { title: 'Ask for it later', what: `“${asked}”`, run: (talk) => ask(talk, asked) },
  {
    title: 'See it summarise',
    what: 'Makes the memory of this conversation small, and talks until the oldest messages become a summary.',
    run: fillMemory,
  },
  {
    title: 'Restore the normal memory size',
    what: 'Summaries stay; new messages have the full budget again.',
    run: restore,
  },
];

/** The first of them to begin with; the others follow from one to the next. */
export const firstSteps: readonly Step[] = steps.slice(0, 3);

const smallMemory = 1000;
const answerMs = 60_000;

/** Kept while the memory is small: a page that is closed meanwhile restores it when it is opened again. */
const smallKey = 'tour-small-memory';

/** The next step; nothing before the first. */
const next = signal(0);
const isBusy = signal(false);

/** Why it ended before its end. */
export const tourProblem = signal('');

/** Only where it disturbs nobody and costs nothing: see `Me.tour`. */
export function isTourOffered(talk: Talk): boolean {
  const channel = ownChannel.value;
  const isTheirs = channel?.private === true && channel.id === talk.key;
  return isTheirs && me.value?.tour === true && isFirstVisit() && next.value === 0 && !isBusy.value;
}

export function nextStep(talk: Talk): Step | undefined {
  const isHere = ownChannel.value?.id === talk.key && ownChannel.value.private;
  return isHere && next.value > 0 && !isBusy.value ? steps[next.value] : undefined;
}

export async function takeStep(talk: Talk, step: Step): Promise<void> {
  isBusy.value = true;
  try {
    await step.run(talk);
    next.value = steps.indexOf(step) + 1;
    if (next.value === steps.length) endFirstVisit();
  } catch (error) {
    next.value = 0;
    endFirstVisit();
    const why = error instanceof Refused ? error.message : problemOf(error);
    const left =
      keptSmall() === undefined ? 'has its normal size' : 'is still small: /settings clear memory_tokens restores it';
    tourProblem.value = `The tour ends here. ${why} The memory ${left}.`;
  }
  isBusy.value = false;
}

/** What a tour that was left in its middle had made small. */
export async function restoreLeftTour(): Promise<void> {
  const key = keptSmall();
  if (key === undefined) return;
  // Whatever comes of it, it is tried once: by now that memory may be gone, or another's business.
  keepSmall(undefined);
  await enlarge(key);
}

async function fillMemory(talk: Talk): Promise<void> {
  if (!inspectorOpen.value && matchMedia('(min-width: 1081px)').matches) toggleInspector();
  keepSmall(talk.key);
  try {
    await orderIn(talk.key, `settings set memory_tokens ${smallMemory}`);
    for (const minute of minutes) await ask(talk, minute);
  } catch (error) {
    // Where even that is refused the reason before it is the one to tell.
    await restore(talk).catch(() => undefined);
    throw error;
  }
}

async function restore(talk: Talk): Promise<void> {
  await enlarge(talk.key);
}

async function enlarge(key: string): Promise<void> {
  try {
    await orderIn(key, 'settings clear memory_tokens');
  } catch (error) {
    // Refused where it was never made small, or was restored already.
    if (!isRefused(error)) throw error;
  }
  keepSmall(undefined);
}

/** Why is said in the conversation itself. */
class Refused extends Error {}

async function ask(talk: Talk, text: string): Promise<void> {
  const id = await say(talk, text, []);
  if (id === undefined || !(await isAnswered(talk, id))) throw new Refused('There was no answer.');
}

async function isAnswered(talk: Talk, id: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const end = effect(() => {
    const outcome = outcomeOf(talk.entries.value, id);
    if (outcome !== undefined) resolve(outcome);
  });
  const timer = setTimeout(() => resolve(false), answerMs);
  const answered = await promise;
  clearTimeout(timer);
  end();
  return answered;
}

function outcomeOf(entries: readonly Entry[], id: string): boolean | undefined {
  for (const entry of entries) {
    if (entry.kind === 'answer' && entry.question === id && entry.done) return true;
    if (entry.kind === 'message' && entry.id === id && entry.unanswered !== undefined) return false;
    if (entry.kind === 'said' && entry.question === id && entry.text.startsWith('⚠️')) return false;
  }
  return undefined;
}

function keepSmall(key: string | undefined): void {
  try {
    if (key === undefined) localStorage.removeItem(smallKey);
    else localStorage.setItem(smallKey, key);
  } catch {
    // Then a page that is closed meanwhile leaves the memory small: one's own, and `settings clear` mends it.
  }
}

function keptSmall(): string | undefined {
  try {
    return localStorage.getItem(smallKey) ?? undefined;
  } catch {
    return undefined;
  }
}
