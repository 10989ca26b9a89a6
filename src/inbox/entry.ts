import { z } from 'zod';
import { BotError } from '../errors.ts';
import { type ChannelId, channelParts, type Event, eventSchema, noticeSchema } from '../event.ts';
import { emptiedShelfRecord } from '../storage/shelf.ts';
import { type RecordKind, record, type StoredRecord } from '../storage/store.ts';

/** What the inbox keeps of an event: all of it until it is done, then only that it was. */

const pendingSchema = z.object({
  state: z.literal('pending'),
  event: eventSchema,
  /** How often its handling was begun before: an event that ends the process each time must not do so for ever. */
  attempts: z.number(),
  /** Whether it is begun in this life of the process; of older entries it is not known. */
  begun: z.boolean().optional(),
  /** The platform's ids of the answer's pieces that stand already. */
  posted: z.array(z.string()),
  /** What was reserved for the answer under way: if it never ends, that much is charged. */
  reserved: z
    .object({
      day: z.string(),
      person: z.string(),
      payer: z.string().optional(),
      model: z.string(),
      prompt: z.number(),
      completion: z.number(),
      /** In which life of the process: found by another, the call was cut off. Of older entries it is not known. */
      life: z.string().optional(),
    })
    .optional(),
  /** Decided and committed, but perhaps not yet said. */
  outcome: noticeSchema.optional(),
});

const entrySchema = z.discriminatedUnion('state', [
  pendingSchema,
  z.object({ state: z.literal('done'), at: z.number() }),
]);

export type Pending = z.infer<typeof pendingSchema>;
type Entry = z.infer<typeof entrySchema>;

export const entryKind: RecordKind<Entry> = { name: 'inbox', version: 1, schema: entrySchema, upgrades: {} };

/** A malformed event is refused before it has a place in the channel's order: nothing later waits for it. */
export function mustBeEvent(event: Event): void {
  const { success, error } = eventSchema.safeParse(event);
  if (!success) throw new BotError('bug', 'a malformed event was refused', { cause: error });
}

/** The same for every delivery of the event; sorts by channel, then by when it happened. */
export function entryId(event: Event): string {
  const at = String(Math.max(0, Math.floor(event.at))).padStart(14, '0');
  return `${event.channel}:${at}:${encodeURIComponent(event.id.toWellFormed())}`;
}

/** Read back from an id. */
export function entryPlace(id: string): { channel: ChannelId; at: number } {
  const [channel = '', at = ''] = id.split(':');
  return { channel: channel as ChannelId, at: Number(at) };
}

export function pendingRecord(pending: Pending): StoredRecord {
  return record(entryKind, entryId(pending.event), pending);
}

export function doneRecord(event: Event, at: number): StoredRecord {
  return record(entryKind, entryId(event), { state: 'done', at });
}

/** Nothing of what was said is left in the entry, and nothing of the files that came with it on the adapter's shelf. */
export function doneRecords(event: Event, at: number): StoredRecord[] {
  const shelved = event.kind === 'message' ? event.attachments.flatMap((file) => file.shelved ?? []) : [];
  const { platform } = channelParts(event.channel);
  return [doneRecord(event, at), ...shelved.map((key) => emptiedShelfRecord(platform, key))];
}
