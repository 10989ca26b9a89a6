import type { Event, Reply } from '../../src/event.ts';
import type { KeptFiles } from './kept-files.ts';
import type { Live } from './live.ts';
import { askerOf, type OpenTalk, pieceId } from './open-talk.ts';
import { announce } from './posting.ts';

/** Answers an event in the console: whoever looks on sees it grow, whoever comes later finds it in the memory. */

interface ReplyDeps {
  talk: OpenTalk;
  live: Live;
  files: KeptFiles;
  /** A channel that is deleted while its last event is handled shows nothing more. */
  exists(event: Event): boolean;
}

const limits = { pieceChars: 16_000, minEditMs: 30 };

export function createReply({ talk, live, files, exists }: ReplyDeps, event: Event): Reply {
  const { channel } = event;
  const since = files.moment();
  // After a crash nobody here knows the question any more.
  if (event.kind === 'message' && exists(event)) announce({ talk, live }, event);
  return {
    limits,
    async progress(note) {
      if (exists(event)) live.tell(channel, talk.progress(event, note));
    },
    async write(piece) {
      if (exists(event)) live.tell(channel, talk.piece(event, piece));
      return pieceId(event, piece.index);
    },
    async say(key, notice) {
      if (!exists(event)) return;
      const only = notice.private ? askerOf(event) : undefined;
      const kept = files.put({ owner: `${channel}:${event.id}:${key}`, channel, since, only }, notice.files);
      live.tell(channel, talk.said(event, key, notice, kept), only);
    },
    async withdraw() {
      if (exists(event)) live.tell(channel, talk.withdrawn(event));
    },
    // What an earlier run had begun stands nowhere any more: the memory has no half answers.
    async end() {},
  };
}
