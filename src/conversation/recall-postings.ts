/**
 * Which slots have which term, and how often: a list a term, ascending by slot. What each slot holds is remembered too,
 * so that it can be taken out without its text; a term that nothing holds any more is forgotten.
 */
export interface Postings {
  put(slot: number, counts: ReadonlyMap<string, number>): void;
  remove(slot: number): void;
  /** Each is a slot and a count, ascending. */
  list(term: string): readonly number[];
  frequency(term: string): number;
  /** Roughly what it takes in memory. */
  bytes(): number;
}

/** A list's entry is one small integer: the slot, and in its last bits how often. */
export const perSlotBits = 8;
export const mostPerSlot = (1 << perSlotBits) - 1;

/** A list's entry in an array that grows by halves, and the slot's note of its term. */
const entryBytes = 14;
/** A term in the dictionary, its text included, and its list. */
const termBytes = 190;
const none: readonly number[] = [];

export function createPostings(): Postings {
  const ids = new Map<string, number>();
  const terms: string[] = [];
  /** Most terms stand in one message only: their lists are that one number. */
  const lists: (number | number[])[] = [];
  const free: number[] = [];
  const held = createHeld();

  function idOf(term: string): number {
    const known = ids.get(term);
    if (known !== undefined) return known;
    const id = free.pop() ?? terms.length;
    ids.set(term, id);
    terms[id] = term;
    lists[id] = [];
    return id;
  }

  function insert(id: number, slot: number, entry: number): void {
    const list = lists[id];
    if (list === undefined) return;
    if (typeof list === 'number') lists[id] = list < entry ? [list, entry] : [entry, list];
    else if (list.length === 0) lists[id] = entry;
    else if ((list.at(-1) ?? 0) < entry) list.push(entry);
    else list.splice(firstFrom(list, slot), 0, entry);
  }

  function take(id: number, slot: number): void {
    const list = lists[id];
    if (typeof list === 'number') {
      ids.delete(terms[id] ?? '');
      terms[id] = '';
      lists[id] = [];
      free.push(id);
      return;
    }
    if (list === undefined) return;
    list.splice(firstFrom(list, slot), 1);
    if (list.length === 1) lists[id] = list[0] ?? [];
  }

  return {
    put(slot, counts) {
      const own: number[] = [];
      for (const [term, count] of counts) {
        const id = idOf(term);
        insert(id, slot, (slot << perSlotBits) | Math.min(count, mostPerSlot));
        own.push(id);
      }
      held.put(slot, own);
    },

    remove(slot) {
      for (const id of held.take(slot)) take(id, slot);
    },

    list(term) {
      const id = ids.get(term);
      const list = id === undefined ? none : (lists[id] ?? none);
      return typeof list === 'number' ? [list] : list;
    },

    frequency(term) {
      const id = ids.get(term);
      const list = id === undefined ? none : (lists[id] ?? none);
      return typeof list === 'number' ? 1 : list.length;
    },

    bytes: () => held.size() * entryBytes + ids.size * termBytes,
  };
}

/** The place of the slot's entry, or where it belongs. */
function firstFrom(list: readonly number[], slot: number): number {
  let from = 0;
  let to = list.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((list[middle] ?? 0) < slot << perSlotBits) from = middle + 1;
    else to = middle;
  }
  return from;
}

const firstPool = 256;

/** The term ids of each slot, end to end in one array; what was taken out leaves a hole until a copy closes the holes. */
function createHeld() {
  let pool = new Uint32Array(firstPool);
  let used = 0;
  let live = 0;
  /** Where in the pool, and how many: one number a slot. */
  let places = new Map<number, number>();

  function reserve(count: number): void {
    if (used + count <= pool.length) return;
    const bigger = new Uint32Array(Math.max(live + count, Math.ceil((live + count) * 1.5)));
    const moved = new Map<number, number>();
    used = 0;
    for (const [slot, place] of places) {
      const { start, count: size } = unpacked(place);
      bigger.set(pool.subarray(start, start + size), used);
      moved.set(slot, packed(used, size));
      used += size;
    }
    pool = bigger;
    places = moved;
  }

  return {
    put(slot: number, ids: readonly number[]): void {
      if (ids.length === 0) return;
      reserve(ids.length);
      pool.set(ids, used);
      places.set(slot, packed(used, ids.length));
      used += ids.length;
      live += ids.length;
    },
    take(slot: number): Uint32Array {
      const { start, count } = unpacked(places.get(slot) ?? 0);
      places.delete(slot);
      live -= count;
      return pool.subarray(start, start + count);
    },
    size: () => live,
  };
}

const mostInSlot = 65_536;

function packed(start: number, count: number): number {
  return start * mostInSlot + count;
}

function unpacked(place: number): { start: number; count: number } {
  return { start: Math.floor(place / mostInSlot), count: place % mostInSlot };
}
