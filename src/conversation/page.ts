import { z } from 'zod';
import type { ChannelId } from '../event.ts';
import type { RecordKind } from '../storage/store.ts';
import { type Turn, turnSchema } from './turn.ts';

/** The journal's pages. A page holds the turns whose number divided by its size is the page's number, of one epoch. */

const turnsPerPage = 16;

export const pageKind: RecordKind<Turn[]> = { name: 'page', version: 1, schema: z.array(turnSchema), upgrades: {} };

/** Where a platform's message stands in the journal. Outlives the text: what was erased is not taken in again. */
export interface TurnRef {
  epoch: number;
  seq: number;
}

export const refKind: RecordKind<TurnRef> = {
  name: 'ref',
  version: 1,
  schema: z.object({ epoch: z.number(), seq: z.number() }),
  upgrades: {},
};

export function pageNumber(seq: number): number {
  return Math.floor(seq / turnsPerPage);
}

const digits = (n: number, width: number): string => String(n).padStart(width, '0');

export function epochPrefix(channel: ChannelId, epoch: number): string {
  return `${channel}:${digits(epoch, 6)}:`;
}

export function pageId(channel: ChannelId, epoch: number, page: number): string {
  return `${epochPrefix(channel, epoch)}${digits(page, 9)}`;
}

/** Read back from a page's id. */
export function pageNumberOf(id: string): number {
  return Number(id.slice(id.lastIndexOf(':') + 1));
}

export function refId(channel: ChannelId, messageId: string): string {
  return `${channel}:${encodeURIComponent(messageId.toWellFormed())}`;
}
