import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { BotError } from '../../src/errors.ts';
import type { Attachment } from '../../src/event.ts';
import type { Shelf } from './host.ts';
import type { Upload } from './wire.ts';

/**
 * What people attach, on the shelf until the event that carries it has ended: an accepted message keeps its files through
 * a crash, and the commit that ends it empties them. What nobody sends is removed after a while.
 */
export interface Uploads {
  put(person: string, file: { name: string; mime: string; content: Uint8Array }): Promise<Upload>;
  /** Of this person's own, for an event: kept from now on until it ends. Throws where one is not there. */
  take(person: string, ids: readonly string[]): Promise<Attachment[]>;
  /** The event that carries them was accepted: their names are not needed here any more. */
  sent(ids: readonly string[]): void;
  /** Of this person's own: they will not be sent. */
  drop(person: string, ids: readonly string[]): Promise<void>;
  fetch(source: string): Promise<Uint8Array>;
  /** Removes what nobody sent in time, and what is left of those whose event has ended. */
  sweep(): Promise<void>;
}

const keptMs = 3_600_000;
/** An event that could not be handled for so long is not handled any more. */
const keptForEventMs = 3 * 24 * 3_600_000;
const maxBytes = 200_000_000;
const maxBytesEach = 60_000_000;
/** What a small file counts as: it has a record and a place in memory, too. */
const leastBytes = 60_000;

const upload = z.object({ id: z.string(), name: z.string(), mime: z.string(), bytes: z.number() });
const noteSchema = z.object({ person: z.string(), at: z.number(), upload, taken: z.boolean().optional() });
const contentSchema = z.string();

type Note = z.infer<typeof noteSchema>;

export async function openUploads(shelf: Shelf, now: () => number): Promise<Uploads> {
  const notes = new Map<string, Note>();
  for (const { key, value } of await shelf.list(notePrefix)) {
    const note = noteSchema.safeParse(value);
    const id = key.slice(notePrefix.length);
    // Of one whose event has ended only the id is known: the request that sent it may yet be repeated.
    notes.set(id, note.success ? note.data : { person: '', at: now(), upload: nameless(id, 0), taken: true });
  }

  async function remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) notes.delete(id);
    if (ids.length > 0) await shelf.remove(ids.flatMap(keysOf));
  }

  /**
   * The upload that goes next to make room, or nothing where there is room. It is taken from whoever holds the most, and
   * never from somebody who holds less than the one who wants it.
   */
  function planRoom(person: string, bytes: number): string | undefined {
    const held = new Map<string, number>([[person, 0]]);
    let sum = 0;
    for (const note of notes.values()) {
      held.set(note.person, (held.get(note.person) ?? 0) + sizeOf(note.upload.bytes));
      sum += sizeOf(note.upload.bytes);
    }
    const wanted = (held.get(person) ?? 0) + sizeOf(bytes);
    if (wanted > maxBytesEach)
      throw new BotError('busy', 'these are many files; send what you have attached, and the others later');
    if (sum + sizeOf(bytes) <= maxBytes) return undefined;
    const [most = person, mostHeld = 0] = [...held].sort(([, one], [, other]) => other - one)[0] ?? [];
    const unsent = [...notes.values()].filter((note) => note.person === most && !note.taken);
    const [oldest] = unsent.sort((one, other) => one.at - other.at);
    if (mostHeld <= wanted || oldest === undefined)
      throw new BotError('busy', 'there is no room for more files just now; try again in a while');
    return oldest.upload.id;
  }

  /** The person is not known any more where the event has ended. */
  function ownNote(person: string, id: string): Note | undefined {
    const note = notes.get(id);
    return note?.person === person || note?.person === '' ? note : undefined;
  }

  async function sweep(): Promise<void> {
    const gone: string[] = [];
    for (const [id, { at, taken }] of notes) {
      const age = now() - at;
      if (age < keptMs) continue;
      const isOver = !taken || age >= keptForEventMs || (await shelf.get(`${notePrefix}${id}`)) === null;
      if (isOver) gone.push(id);
    }
    await remove(gone);
  }

  await sweep();
  return {
    sweep,

    async put(person, { name, mime, content }) {
      await sweep();
      for (let gone = planRoom(person, content.length); gone !== undefined; gone = planRoom(person, content.length)) {
        await remove([gone]);
      }
      const id = randomBytes(16).toString('hex');
      const made: Upload = { id, name, mime, bytes: content.length };
      const note: Note = { person, at: now(), upload: made };
      notes.set(id, note);
      try {
        // The note first: content without one would never be looked for.
        await shelf.put(`${notePrefix}${id}`, note);
        await shelf.put(`${contentPrefix}${id}`, Buffer.from(content).toString('base64'));
      } catch (error) {
        // Whether it was written is not known: the sweep looks after it.
        notes.set(id, { ...note, upload: nameless(id, 0) });
        throw error;
      }
      return made;
    },

    async take(person, ids) {
      const taken: Note[] = [];
      for (const id of ids) {
        const note = ownNote(person, id);
        if (note === undefined) throw new BotError('input', 'an attached file is no longer there; attach it again');
        taken.push(note);
      }
      // Said here before it is written: whoever sends the same again must not write it anew once the event has ended.
      const fresh = taken.filter((one) => !one.taken);
      for (const note of fresh) note.taken = true;
      try {
        for (const note of fresh) await shelf.put(`${notePrefix}${note.upload.id}`, { ...note });
      } catch (error) {
        for (const note of fresh) note.taken = false;
        throw error;
      }
      return taken.map(({ upload: { id, name, mime, bytes } }) => ({
        name,
        mime,
        bytes,
        source: id,
        shelved: keysOf(id),
      }));
    },

    sent(ids) {
      for (const id of ids) {
        const note = notes.get(id);
        if (note !== undefined) notes.set(id, { ...note, upload: nameless(id, note.upload.bytes) });
      }
    },

    async drop(person, ids) {
      await remove(ids.filter((id) => notes.get(id)?.person === person));
    },

    async fetch(source) {
      const content = contentSchema.safeParse(await shelf.get(`${contentPrefix}${source}`));
      if (!content.success) throw new BotError('input', 'the file is no longer there');
      return Buffer.from(content.data, 'base64');
    },
  };
}

const notePrefix = 'upload/';
const contentPrefix = 'content/';

function keysOf(id: string): string[] {
  return [`${notePrefix}${id}`, `${contentPrefix}${id}`];
}

function nameless(id: string, bytes: number): Upload {
  return { id, name: 'file', mime: 'application/octet-stream', bytes };
}

function sizeOf(bytes: number): number {
  return Math.max(bytes, leastBytes);
}
