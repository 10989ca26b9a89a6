import { z } from 'zod';
import { readJson, refusal, toJson } from './answers.ts';
import { eventStreamHeaders, toEventStream } from './event-stream.ts';
import type { MemoryViews } from './host.ts';
import type { Live } from './live.ts';
import type { OpenTalk } from './open-talk.ts';
import type { Posting } from './posting.ts';
import type { OwnPlace, Route, Visitor } from './route.ts';
import {
  commandPost,
  deletionPost,
  editPost,
  isCommand,
  isOwnAnswer,
  isOwnMessage,
  limits,
  messagePost,
  type Posted,
  toCommand,
  toDeletion,
  toEdit,
  toMessage,
} from './to-event.ts';
import type { Uploads } from './uploads.ts';

/** What is said in a channel, and how it is followed. */
interface TalkDeps {
  views: MemoryViews;
  posting: Posting;
  talk: OpenTalk;
  live: Live;
  uploads: Pick<Uploads, 'take' | 'sent' | 'drop'>;
}

/** A character takes six bytes at most, as JSON writes it. */
const maxBodyBytes = limits.textChars * 6 + 10_000;
const usualTurns = 50;
const turnsQuery = z.object({
  before: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(usualTurns),
});

export function talkRoutes({ views, posting, talk, live, uploads }: TalkDeps): Route[] {
  function from(visitor: Visitor, place: OwnPlace, { id, at }: Posted) {
    const key = `${place.id}:${visitor.person.id}.${id}`;
    return { visitor, place, posted: { id, at: posting.timeOf(key, at) } };
  }

  return [
    {
      method: 'GET',
      path: '/api/channels/:key/turns',
      rights: 'any',
      command: undefined,
      async handle(c, _, channel) {
        const query = turnsQuery.safeParse(c.req.query());
        if (!query.success) throw refusal(400, 'before and limit are whole numbers; at most 200 turns come at once.');
        const { before, limit } = query.data;
        return toJson(await views.turns(channel, before === undefined ? { limit } : { before, limit }));
      },
    },
    {
      method: 'GET',
      path: '/api/channels/:key/events',
      rights: 'any',
      command: undefined,
      async handle(c, { person, address, holds }, channel) {
        if (c.req.method === 'HEAD') return new Response(null, { headers: eventStreamHeaders });
        const reader = live.read({
          channel,
          person: person.id,
          address,
          holds,
          lastEventId: c.req.header('last-event-id'),
          openNow: () => talk.of(channel, person.id),
        });
        if (reader === undefined) throw refusal(503, 'Too many pages are open just now; close some of them.');
        return toEventStream(reader);
      },
    },
    {
      method: 'POST',
      path: '/api/channels/:key/messages',
      rights: 'own',
      async handle(c, visitor, place) {
        const post = await readJson(c, messagePost, maxBodyBytes);
        const { person } = visitor;
        if (isCommand(post.text)) {
          // A command takes no files, and nobody would send them again.
          await uploads.drop(person.id, post.uploads);
          return toJson(await posting.post(toCommand(from(visitor, place, post), post.text, undefined)), 202);
        }
        const attachments = await uploads.take(person.id, post.uploads);
        const accepted = await posting.post(toMessage(from(visitor, place, post), post.text, attachments));
        uploads.sent(post.uploads);
        return toJson(accepted, 202);
      },
    },
    {
      method: 'POST',
      path: '/api/channels/:key/edits',
      rights: 'own',
      async handle(c, visitor, place) {
        const post = await readJson(c, editPost, maxBodyBytes);
        if (!isOwnMessage(visitor, place, post.messageId)) throw refusal(403, 'Only your own messages can be edited.');
        return toJson(await posting.post(toEdit(from(visitor, place, post), post.messageId, post.text)), 202);
      },
    },
    {
      method: 'POST',
      path: '/api/channels/:key/deletions',
      rights: 'own',
      async handle(c, visitor, place) {
        const post = await readJson(c, deletionPost, maxBodyBytes);
        if (!isOwnMessage(visitor, place, post.messageId) && !isOwnAnswer(visitor, place, post.messageId))
          throw refusal(403, 'Only your own messages, and answers to them, can be deleted.');
        return toJson(await posting.post(toDeletion(from(visitor, place, post), post.messageId)), 202);
      },
    },
    {
      method: 'POST',
      path: '/api/channels/:key/commands',
      rights: 'own',
      async handle(c, visitor, place) {
        const post = await readJson(c, commandPost, maxBodyBytes);
        return toJson(await posting.post(toCommand(from(visitor, place, post), post.line, post.target)), 202);
      },
    },
  ];
}
