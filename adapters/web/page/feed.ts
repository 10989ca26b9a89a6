import type { ComponentChild } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Entry, keyOf, withFailures } from './entries.ts';
import { EntryView } from './entry-view.ts';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { inspected } from './inspected.ts';
import type { Talk } from './talk.ts';
import { startOfDay, toDay } from './time.ts';

interface FeedProps {
  talk: Talk;
  label: string;
  /** Shown where nothing was said yet. */
  empty: ComponentChild;
  /** Shown before what was said. */
  before?: ComponentChild;
  /** Shown after what was said. */
  after?: ComponentChild;
}

const nearEndPx = 60;
const joinedWithinMs = 5 * 60_000;

export function Feed({ talk, label, empty, before, after }: FeedProps): ComponentChild {
  const scroll = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const last = useRef({ top: 0, height: 0 });
  const [away, setAway] = useState(false);
  const entries = talk.entries.value;
  const state = talk.state.value;

  const toEnd = () => {
    if (scroll.current !== null) scroll.current.scrollTop = scroll.current.scrollHeight;
  };

  useLayoutEffect(() => {
    atEnd.current = true;
    toEnd();
  }, [talk]);

  // Whatever grows, what a reader sees at the end stays at the end.
  useEffect(() => {
    if (inner.current === null || scroll.current === null) return;
    const growing = new ResizeObserver(() => {
      if (atEnd.current) toEnd();
    });
    growing.observe(inner.current);
    growing.observe(scroll.current);
    return () => growing.disconnect();
  }, []);

  // One's own message is always looked at.
  const sending = entries.findLast((entry) => entry.kind === 'message' && entry.state === 'sending');
  const sendingKey = sending === undefined ? '' : keyOf(sending);
  useLayoutEffect(() => {
    if (sendingKey === '') return;
    atEnd.current = true;
    toEnd();
  }, [sendingKey]);

  const onScroll = () => {
    const element = scroll.current;
    if (element === null) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    const wentUp = scrollTop < last.current.top && scrollHeight >= last.current.height;
    last.current = { top: scrollTop, height: scrollHeight };
    // What grows moves nobody away from the end: only going up does.
    if (scrollHeight - scrollTop - clientHeight < nearEndPx) atEnd.current = true;
    else if (wentUp) atEnd.current = false;
    setAway(!atEnd.current);
  };

  const loadEarlier = async () => {
    const element = scroll.current;
    const below = element === null ? 0 : element.scrollHeight - element.scrollTop;
    await talk.loadEarlier().catch(() => undefined); // The button stays for another try.
    requestAnimationFrame(() => {
      if (element !== null) element.scrollTop = element.scrollHeight - below;
    });
  };

  return html`<div class="feed" ref=${scroll} onScroll=${onScroll} tabindex="0" role="region" aria-label=${label}>
    <div class="feed-inner" ref=${inner}>
      ${
        talk.more.value
          ? html`<button type="button" class="button small earlier" onClick=${() => void loadEarlier()}>
              Earlier messages
            </button>`
          : ''
      }
      ${talk.more.value ? html`<p class="print-only hint">There are earlier messages that are not printed: load them first.</p>` : before}
      ${state.is === 'failed' ? html`<p class="warning" role="alert">${state.problem}</p>` : ''}
      ${state.is === 'ready' && entries.every(({ kind }) => kind === 'said') ? empty : ''}
      <ol class="entries">${rows(talk, entries)}</ol>
      ${entries.length === 0 ? '' : after}
      ${
        away
          ? html`<button type="button" class="button small jump" onClick=${toEnd}>
              ${icon('down', 14)} To the newest
            </button>`
          : ''
      }
    </div>
  </div>`;
}

function rows(talk: Talk, entries: readonly Entry[]): ComponentChild[] {
  const now = Date.now();
  const border = foldBorder(talk, entries);
  const newest = entries.findLast((entry) => entry.kind === 'answer');
  const { failures, shown } = withFailures(entries);
  return shown.flatMap((entry, at) => {
    const before = shown[at - 1];
    const sameDay = before !== undefined && startOfDay(before.at) === startOfDay(entry.at);
    const view = html`<${EntryView} key=${keyOf(entry)} talk=${talk} entry=${entry}
      joined=${sameDay && isJoined(before, entry)} newest=${entry === newest} failure=${failures.get(entry)} />`;
    const line = html`<li class="fold-line" key="folded">Above: summarised. Below: remembered in full</li>`;
    const day = html`<li class="day" key=${`day ${startOfDay(entry.at)}`}>${toDay(entry.at, now)}</li>`;
    return [...(sameDay ? [] : [day]), ...(entry === border ? [line] : []), view];
  });
}

/** The first of those still remembered word for word, where older ones are folded. */
function foldBorder(talk: Talk, entries: readonly Entry[]): Entry | undefined {
  const memory = inspected.value.is === 'ready' ? inspected.value.memory : undefined;
  const first = memory?.turns.firstVerbatim;
  if (memory === undefined || memory.channel !== talk.key || memory.folds.length === 0 || first === undefined) return;
  return entries.find((entry) => 'seq' in entry && entry.seq !== undefined && entry.seq >= first);
}

function isJoined(before: Entry, entry: Entry): boolean {
  if (before.kind !== 'message' || entry.kind !== 'message') return false;
  return before.person.id === entry.person.id && entry.at - before.at < joinedWithinMs;
}
