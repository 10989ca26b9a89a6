import { effect, signal } from '@preact/signals';
import type { MemoryAnswer, OrderAnswer, OrderPost } from '../wire.ts';
import { place } from './place.ts';
import { get, memoryPath, problemOf, send } from './server.ts';

/** The memory that is looked at. */
export type Inspected = { is: 'loading' } | { is: 'ready'; memory: MemoryAnswer } | { is: 'failed'; problem: string };

export const inspected = signal<Inspected>({ is: 'loading' });

/** Kept as people left it; at first open where there is room for it. */
export const inspectorOpen = signal(readChoice() ?? matchMedia('(min-width: 1081px)').matches);

/** Where a thread and the inspector would leave too little of the channel. */
const roomForThree = matchMedia('(min-width: 1561px)');

/** The inspector made room for a thread, and comes back after it. */
let madeRoom = false;

const refreshMs = 150;

let due: ReturnType<typeof setTimeout> | undefined;
let loads = 0;

export function followMemory(): void {
  let shown: string | undefined;
  effect(() => makeRoom(place.value.thread !== undefined));
  effect(() => {
    const key = keyNow();
    if (key === undefined || !inspectorOpen.value) return;
    if (key !== shown) inspected.value = { is: 'loading' };
    shown = key;
    void load(key);
  });
}

export function refreshInspection(): void {
  if (!inspectorOpen.value || due !== undefined) return;
  due = setTimeout(() => {
    due = undefined;
    const key = keyNow();
    if (key !== undefined) void load(key);
  }, refreshMs);
}

function makeRoom(isThreadOpen: boolean): void {
  if (isThreadOpen && inspectorOpen.peek() && !roomForThree.matches) {
    madeRoom = true;
    inspectorOpen.value = false;
  } else if (!isThreadOpen && madeRoom) {
    madeRoom = false;
    inspectorOpen.value = true;
  }
}

export function toggleInspector(): void {
  madeRoom = false;
  inspectorOpen.value = !inspectorOpen.value;
  try {
    localStorage.setItem('inspector', inspectorOpen.value ? 'open' : 'closed');
  } catch {
    // A browser that keeps nothing decides anew each time.
  }
}

/** A command about the memory that is looked at, answered here and not in its channel. */
export async function order(line: string): Promise<OrderAnswer> {
  return await orderIn(keyNow() ?? '', line);
}

export async function orderIn(key: string, line: string): Promise<OrderAnswer> {
  const post: OrderPost = { line };
  const answer = await send<OrderAnswer>('POST', memoryPath(key, '/orders'), post);
  refreshInspection();
  return answer;
}

function keyNow(): string | undefined {
  return place.value.thread ?? place.value.channel;
}

async function load(key: string): Promise<void> {
  const load = ++loads;
  const next = await get<MemoryAnswer>(memoryPath(key)).then(
    (memory): Inspected => ({ is: 'ready', memory }),
    (error: unknown): Inspected => ({ is: 'failed', problem: problemOf(error) }),
  );
  if (load !== loads) return;
  // What was seen before is better than a failure that passes.
  if (next.is === 'failed' && inspected.value.is === 'ready') return;
  inspected.value = next;
}

function readChoice(): boolean | undefined {
  try {
    const kept = localStorage.getItem('inspector');
    return kept === null || matchMedia('(max-width: 1080px)').matches ? undefined : kept === 'open';
  } catch {
    return undefined;
  }
}
