import { BotError, toBotError } from '../errors.ts';
import type { Attachment, ChannelId, Event, Intake, Reply, Surface } from '../event.ts';
import type { Log } from '../log.ts';
import type { Store, StoredRecord } from '../storage/store.ts';
import { withinBounds } from './bounds.ts';
import { doneRecords, entryId, entryKind, entryPlace, mustBeEvent, type Pending, pendingRecord } from './entry.ts';
import { createLanes, type Lanes, type Place } from './lanes.ts';
import { createWaitingEdits } from './waiting-edits.ts';

/**
 * Between the platforms and the bot. An event is durable before `accept` returns; it is handled once, in order in its
 * channel, channels side by side; what a crash interrupted is handled again from its entry when its platform's intake
 * opens. Events that must not wait behind an answer have a lane of their own.
 */
export interface Inbox {
  open(platform: string, surface: Surface): Promise<Intake>;
  /** Takes nothing more in, gives what runs `graceMs` to end, then parks it: it stays pending for the next start. */
  close(graceMs: number): Promise<void>;
  /** Forgets that events older than `before` were handled; a redelivery so late is not to be expected. */
  sweep(before: number): Promise<void>;
  waiting(): number;
  running(): number;
}

/** One event being handled, and its entry. */
export interface Job {
  readonly event: Event;
  readonly reply: Reply;
  /**
   * From now on these messages of the bot's are the pieces that `reply` writes: to make another answer read anew. One
   * event has one reply at a time, because a platform may let what was said to it be answered once only.
   */
  replyOn(posted: readonly string[]): Reply;
  fetch(attachment: Attachment, signal: AbortSignal): Promise<Uint8Array>;
  /** When this process accepted the event, or found it again after a start. */
  readonly acceptedAt: number;
  /** As it stands in the store. */
  readonly pending: Pending;
  /** It was tried before and the store failed; the person knows. */
  readonly again: boolean;
  /** Ends what the job does when the program must stop; the entry stays pending. */
  readonly signal: AbortSignal;
  /** The entry as changed, to be committed with something else. */
  update(change: Partial<Pending>): StoredRecord;
  /** The entry as done, and what goes with it, to be committed with what was done. */
  done(): StoredRecord[];
}

interface InboxDeps {
  store: Store;
  handle(job: Job): Promise<void>;
  /** Stop, edit, delete, forget, reset: what ends or voids an answer cannot wait for it. */
  isUrgent(event: Event): boolean;
  /** What is only overheard is not even written down where it is not to be remembered. */
  isWanted(event: Event, isWaiting: (messageId: string) => boolean): Promise<boolean>;
  /** Told of each event before it is written down; what it answers is called once the event is over. */
  follow?(): () => void;
  log: Log;
  now(): number;
  /** How many channels are handled at once. */
  atOnce?: number;
  /** How many events may wait; beyond that the platform is asked to come again. */
  maxWaiting?: number;
}

const maxRemembered = 20_000;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

export function createInbox(deps: InboxDeps): Inbox {
  const { store, log, now, follow = () => () => undefined } = deps;
  /** Entries accepted by this process lately, or being accepted: redeliveries of these need no read. */
  const remembered = new Map<string, Promise<void>>();
  /** The messages that wait or are being handled: what changes them is wanted. */
  const messages = new Set<string>();
  const edits = createWaitingEdits();
  const stop = new AbortController();
  const lanes: Lanes = createLanes(deps.atOnce ?? 64);
  const maxWaiting = deps.maxWaiting ?? 50_000;
  /** Nothing more is taken in, and what waits for the store or the platform is parked at once. */
  const closing = new AbortController();

  function remember(id: string, accepted: Promise<void>): void {
    remembered.set(id, accepted);
    accepted.catch(() => remembered.delete(id));
    const oldest = remembered.keys().next().value;
    if (remembered.size > maxRemembered && oldest !== undefined) remembered.delete(oldest);
  }

  async function accept(given: Event, surface: Surface): ReturnType<Intake['accept']> {
    if (closing.signal.aborted)
      throw new BotError('stopped', 'I am shutting down and take nothing more; send it again in a moment');
    if (lanes.waiting() >= maxWaiting) throw new BotError('busy', 'too much is waiting to be answered');
    mustBeEvent(given);
    const event = withinBounds(given);
    const id = entryId(event);
    const before = remembered.get(id);
    if (before !== undefined) {
      await before;
      return 'known';
    }
    // The place in the channel's order is taken now, not when the write returns.
    const place = lanes.reserve(event.channel, deps.isUrgent(event));
    const pending = toPending(event, place.isNext);
    const ended = follow();
    let known = false;
    let wanted = true;
    const isWaiting = (messageId: string): boolean => messages.has(messageKey(event.channel, messageId));
    const accepted = (async () => {
      wanted = await deps.isWanted(event, isWaiting);
      known = wanted && (await store.get(entryKind, id)) !== undefined;
      if (wanted && !known) await store.commit([pendingRecord(pending)]);
    })();
    remember(id, accepted);
    try {
      await accepted;
    } catch (error) {
      place.leave();
      throw error;
    }
    if (known || !wanted) {
      place.leave();
      if (!wanted) remembered.delete(id);
      return wanted ? 'known' : 'ignored';
    }
    enqueue(place, pending, surface, ended);
    return 'accepted';
  }

  function enqueue(place: Place, pending: Pending, surface: Surface, ended: () => void): void {
    const { event } = pending;
    const key = event.kind === 'message' ? messageKey(event.channel, event.messageId) : undefined;
    if (key !== undefined) messages.add(key);
    const acceptedAt = now();
    const isDue = edits.wait(pending);
    place.run(async () => {
      try {
        const due = isDue();
        if (due !== undefined) await handle(due.newest, surface, acceptedAt, due.older);
      } finally {
        if (key !== undefined) messages.delete(key);
        ended();
      }
    });
  }

  /** `older`: edits of the same message, which are done with it. */
  async function handle(
    pending: Pending,
    surface: Surface,
    acceptedAt: number,
    older: readonly Pending[],
  ): Promise<void> {
    const done = (): StoredRecord[] => [pending, ...older].flatMap(({ event }) => doneRecords(event, now()));
    let current = pending;
    for (let failures = 0; !stop.signal.aborted; failures++) {
      let job: ReturnType<typeof createJob> | undefined;
      try {
        if (failures > 0) {
          // What was decided before is true only where its commit arrived.
          const stored = await store.get(entryKind, entryId(current.event));
          if (stored?.state === 'done') return;
          if (stored !== undefined) current = { ...stored, attempts: current.attempts };
        }
        job = createJob(current, surface, { acceptedAt, again: failures > 0 }, done);
        await deps.handle(job);
        if (!job.isDone()) await store.commit(job.done());
        return await end(job);
      } catch (error) {
        if (!(await mayTryAgain(error, current, failures, done))) {
          if (stop.signal.aborted) return await park(current);
          return job && (await end(job));
        }
      }
    }
  }

  /** However it ended, and also where nothing came of it: nobody is left waiting. */
  async function end({ event, reply }: Job): Promise<void> {
    await reply.end().catch((error: unknown) => {
      log.info({ channel: event.channel, event: event.id, error }, 'a sign of work could not be taken away');
    });
  }

  /** Being ended in good order is no attempt that failed. */
  async function park(pending: Pending): Promise<void> {
    try {
      const stored = await store.get(entryKind, entryId(pending.event));
      if (stored?.state !== 'pending' || stored.attempts === 0 || stored.begun === false) return;
      await store.commit([pendingRecord({ ...stored, attempts: stored.attempts - 1 })]);
    } catch (error) {
      log.warn({ channel: pending.event.channel, error }, 'an attempt could not be taken back');
    }
  }

  /**
   * A store that fails is waited for, and a platform that says when to come again: what was to be kept or said is not
   * lost, and the channel's order stands still.
   */
  async function mayTryAgain(
    error: unknown,
    pending: Pending,
    failures: number,
    done: () => StoredRecord[],
  ): Promise<boolean> {
    const fields = { channel: pending.event.channel, event: pending.event.id };
    const known = toBotError(error);
    if (stop.signal.aborted || known.kind === 'stopped') return false;
    const passes = known.kind === 'store' || (known.kind === 'platform' && known.retryAt !== undefined);
    if (!passes) {
      log.error({ ...fields, error }, 'an event could not be handled');
      await store.commit(done()).catch(() => undefined);
      return false;
    }
    const pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs * 2 ** failures, (known.retryAt ?? 0) - now()));
    log.error({ ...fields, error, pauseMs }, 'the store or the platform failed; the event waits');
    if (!closing.signal.aborted) await pause(pauseMs, closing.signal);
    return !closing.signal.aborted;
  }

  function createJob(
    pending: Pending,
    surface: Surface,
    { acceptedAt, again }: Pick<Job, 'acceptedAt' | 'again'>,
    doneAll: () => StoredRecord[],
  ): Job & { isDone(): boolean } {
    // What waited before it began is said to have begun by the first thing that is committed of it.
    let current: Pending = { ...pending, begun: true };
    let done = false;
    let reply = patient(surface.reply(pending.event, pending.posted));
    return {
      event: pending.event,
      acceptedAt,
      again,
      get reply() {
        return reply;
      },
      replyOn(posted) {
        reply = patient(surface.reply(pending.event, posted));
        return reply;
      },
      fetch: (attachment, signal) => surface.fetch(attachment, signal),
      signal: stop.signal,
      get pending() {
        return current;
      },
      update(change) {
        current = { ...current, ...change };
        return pendingRecord(current);
      },
      done() {
        done = true;
        return doneAll();
      },
      isDone: () => done,
    };
  }

  async function replay(platform: string, surface: Surface): Promise<{ count: number; seen: Map<ChannelId, number> }> {
    const seen = new Map<ChannelId, number>();
    const left: Pending[] = [];
    for await (const found of entries(store, `${platform}/`)) {
      const { channel, at } = entryPlace(found.id);
      seen.set(channel, Math.max(at, seen.get(channel) ?? 0));
      try {
        const entry = found.read();
        if (entry.state === 'pending') left.push(entry);
      } catch (error) {
        // One spoiled entry must not keep the others from being answered; it stays for the operator to look at.
        log.error({ error, entry: found.id }, 'an event in the inbox cannot be read');
      }
    }
    // Only what had begun can have ended the program. What begins now is known before it is tried: what ends the program
    // each time is given up one day.
    const waiting = left.map((entry) => {
      const place = lanes.reserve(entry.event.channel, deps.isUrgent(entry.event));
      const attempts = entry.attempts + (entry.begun === false ? 0 : 1);
      return { place, pending: { ...entry, attempts, begun: place.isNext } };
    });
    try {
      if (waiting.length > 0) await store.commit(waiting.map(({ pending }) => pendingRecord(pending)));
    } catch (error) {
      for (const { place } of waiting) place.leave();
      throw error;
    }
    for (const { place, pending } of waiting) {
      remember(entryId(pending.event), Promise.resolve());
      enqueue(place, pending, surface, follow());
    }
    const count = waiting.length;
    return { count, seen };
  }

  return {
    async open(platform, surface) {
      const { count, seen } = await replay(platform, surface);
      if (count > 0) log.info({ platform, count }, 'events of an earlier run are handled now');
      return { accept: (event) => accept(event, surface), lastSeen: () => seen };
    },

    async close(graceMs) {
      closing.abort();
      lanes.pause();
      const timer = setTimeout(() => stop.abort(new BotError('stopped', 'I was restarted')), graceMs);
      await lanes.idle();
      clearTimeout(timer);
      stop.abort(new BotError('stopped', 'I was restarted'));
    },

    async sweep(before) {
      const old: string[] = [];
      for await (const found of entries(store, '')) {
        try {
          const entry = found.read();
          if (entry.state === 'done' && entry.at < before) old.push(`${entryKind.name}:${found.id}`);
        } catch {
          // Told when it was first met; it is kept.
        }
      }
      if (old.length > 0) await store.erase(old);
    },

    waiting: lanes.waiting,
    running: lanes.running,
  };
}

function messageKey(channel: ChannelId, messageId: string): string {
  return `${channel}:${messageId}`;
}

/** A sign of life that cannot be given is no reason not to answer, unless nothing can be said there at all. */
function patient(reply: Reply): Reply {
  const progress: Reply['progress'] = async (...note) => {
    await reply.progress(...note).catch((error: unknown) => {
      const { kind, retryAt } = toBotError(error);
      if (kind === 'platform' && retryAt === undefined) throw error;
    });
  };
  return { ...reply, progress };
}

function toPending(event: Event, begun: boolean): Pending {
  return { state: 'pending', event, attempts: 0, begun, posted: [] };
}

const entriesAtOnce = 500;

async function* entries(store: Store, prefix: string) {
  let after: string | undefined;
  for (;;) {
    const limit = { limit: entriesAtOnce };
    const batch = await store.list(entryKind, prefix, after === undefined ? limit : { ...limit, after });
    yield* batch;
    if (batch.length < entriesAtOnce) return;
    after = batch.at(-1)?.id;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
