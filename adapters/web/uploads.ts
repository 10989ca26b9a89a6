import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { BotError } from '../../src/errors.ts';
import type { Attachment } from '../../src/event.ts';
import type { Shelf } from './host.ts';
import type { Upload } from './wire.ts';

/**
 * What people attach, on the shelf until it is read: a message that was accepted keeps its files through a crash. Old
 * ones go when new ones come.
 */
export interface Uploads {
  put(person: string, file: { name: string; mime: string; content: Uint8Array }): Promise<Upload>;
  /** Of this person's own; throws where one is not there. */
  toAttachments(person: string, ids: readonly string[]): Attachment[];
  fetch(source: string): Promise<Uint8Array>;
}

const keptMs = 3_600_000;
const maxBytes = 200_000_000;
const maxBytesEach = 60_000_000;

const upload = z.object({ id: z.string(), name: z.string(), mime: z.string(), bytes: z.number() });
const noteSchema = z.object({ person: z.string(), at: z.number(), upload });
const contentSchema = z.string();

type Note = z.infer<typeof noteSchema>;

export async function openUploads(shelf: Shelf, now: () => number): Promise<Uploads> {
  const notes = new Map<string, Note>();
  for (const { value } of await shelf.list('upload/')) {
    const note = noteSchema.safeParse(value);
    if (note.success) notes.set(note.data.upload.id, note.data);
  }

  async function makeRoom(bytes: number): Promise<void> {
    const old: string[] = [];
    let sum = bytes + total(notes.values());
    for (const { at, upload } of [...notes.values()].sort((a, b) => a.at - b.at)) {
      if (now() - at < keptMs && sum <= maxBytes) break;
      sum -= upload.bytes;
      old.push(upload.id);
    }
    for (const id of old) notes.delete(id);
    if (old.length > 0) await shelf.remove(old.flatMap((id) => [`upload/${id}`, `content/${id}`]));
  }

  return {
    async put(person, { name, mime, content }) {
      const own = [...notes.values()].filter((one) => one.person === person && now() - one.at < keptMs);
      if (total(own) + content.length > maxBytesEach)
        throw new BotError('busy', 'these are many files; send what you have attached, and the others later');
      const id = randomBytes(16).toString('hex');
      const made: Upload = { id, name, mime, bytes: content.length };
      const note: Note = { person, at: now(), upload: made };
      notes.set(id, note);
      await makeRoom(0);
      await shelf.put(`content/${id}`, Buffer.from(content).toString('base64'));
      await shelf.put(`upload/${id}`, note);
      return made;
    },

    toAttachments(person, ids) {
      return ids.map((id) => {
        const note = notes.get(id);
        if (note === undefined || note.person !== person)
          throw new BotError('input', 'an attached file is no longer there; attach it again');
        const { name, mime, bytes } = note.upload;
        return { name, mime, bytes, source: id };
      });
    },

    async fetch(source) {
      const content = contentSchema.safeParse(await shelf.get(`content/${source}`));
      if (!content.success) throw new BotError('input', 'the file is no longer there');
      return Buffer.from(content.data, 'base64');
    },
  };
}

function total(notes: Iterable<Note>): number {
  let sum = 0;
  for (const { upload } of notes) sum += upload.bytes;
  return sum;
}
