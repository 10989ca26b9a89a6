import type { CommandRunner } from '../commands/runner.ts';
import { BotError } from '../errors.ts';
import type { ChannelId, CommandEvent, Notice, Reply } from '../event.ts';
import { doneRecord, type Pending } from '../inbox/entry.ts';
import type { Job } from '../inbox/inbox.ts';

/**
 * Commands on a channel from outside of it, by somebody who may look after the memory: they change it as the same
 * command would there, and their result is shown to whoever ordered them and to nobody else.
 */
export type Order = (
  channel: ChannelId,
  /** `platform`: whose id it is. */
  person: { id: string; name: string; admin: boolean; platform: string },
  line: string,
) => Promise<Notice>;

export function createOrders(deps: { runner: CommandRunner; signal: AbortSignal; now(): number }): Order {
  let orders = 0;
  return async (channel, person, line) => {
    const at = deps.now();
    orders += 1;
    const author = { ...person, roles: [] };
    const event: CommandEvent = {
      kind: 'command',
      id: `order:${at}:${orders}`,
      channel,
      at,
      author,
      command: { line },
      direct: false,
      origin: {},
    };
    const result = await deps.runner.run(createJob(event, deps.signal), {
      channel,
      author,
      given: { line },
      direct: false,
    });
    if (result.notice === undefined)
      throw new BotError('input', 'an answer can only be asked for in the channel itself');
    return result.notice;
  };
}

/** Its entry is done from the start: nothing of an order is handled again after a crash. */
function createJob(event: CommandEvent, signal: AbortSignal): Job {
  const pending: Pending = { state: 'pending', event, attempts: 0, posted: [] };
  const ended = doneRecord(event, event.at);
  return {
    event,
    reply: silent,
    replyOn: () => silent,
    fetch: () => Promise.reject(new BotError('bug', 'a command brings no files')),
    acceptedAt: event.at,
    pending,
    again: false,
    signal,
    update: () => ended,
    done: () => [ended],
  };
}

const silent: Reply = {
  limits: { pieceChars: 2000, minEditMs: 1000 },
  progress: async () => undefined,
  write: async () => '',
  say: async () => undefined,
  withdraw: async () => undefined,
  end: async () => undefined,
};
