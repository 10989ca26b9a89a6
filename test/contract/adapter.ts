import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, Intake, MessageEvent, Notice, OpenIntake, Piece, Reply } from '../../src/event.ts';
import { splitAnswer } from '../../src/turn/split.ts';

/** What every adapter for a chat platform promises: one suite, run against each of them and its simulator. */

/** What stands in a channel or a conversation, as people see it. */
export interface Shown {
  id: string;
  text: string;
  buttons: string[];
}

/** The platform, with one channel, as many people as are named, and what they can do there. */
export interface Platform {
  /** How the bot is named in a text. */
  mention: string;
  /** Says it in the channel; gives the message's id. */
  say(person: string, text: string, more?: { replyTo?: string; thread?: string }): string;
  sayDirectly(person: string, text: string): string;
  edit(id: string, text: string): void;
  remove(id: string): void;
  redeliver(id: string): void;
  /** A slash command, as this platform has them. */
  order(person: string, path: readonly string[], options: Record<string, string>): void;
  press(person: string, post: string, label: string): void;
  /** Opens a thread on a message; gives its id. */
  openThread(on: string): string;
  /** What the bot has in the channel, or in the thread, for all to see. */
  posts(thread?: string): Shown[];
  /** What the bot has said to one person alone. */
  toldPrivately(person: string): string[];
  /** Whether anything the bot sent would have called people to it. */
  pinged(): boolean;
  until<T>(check: () => T | undefined | false, what: string): Promise<T>;
  close(): Promise<void>;
}

export interface AdapterHarness {
  name: string;
  /** The platform's longest message. */
  pieceChars: number;
  start(openIntake: OpenIntake): Promise<Platform>;
}

interface Scripted {
  openIntake: OpenIntake;
  events: Event[];
  /** What becomes of an event. */
  handle: (event: Event, reply: Reply) => Promise<void>;
  failures: unknown[];
}

/** A core that keeps what it accepts and does with it what the test says. */
function createScripted(): Scripted {
  const known = new Set<string>();
  const scripted: Scripted = { events: [], failures: [], handle: async () => {}, openIntake: async () => intake };
  let intake: Intake;
  scripted.openIntake = async (_, surface) => {
    intake = {
      lastSeen: () => new Map(),
      async accept(event) {
        const key = `${event.channel}:${event.id}`;
        if (known.has(key)) return 'known';
        known.add(key);
        scripted.events.push(event);
        scripted.handle(event, surface.reply(event, [])).catch((error: unknown) => scripted.failures.push(error));
        return 'accepted';
      },
    };
    return intake;
  };
  return scripted;
}

const stop = [{ label: 'Stop', command: 'stop' }];

function piece(text: string, more: Partial<Piece> = {}): Piece {
  return { index: 0, text, done: true, last: true, actions: [], ...more };
}

function secret(text: string): Notice {
  return { text, private: true, actions: [], files: [] };
}

export function describeAdapter(harness: AdapterHarness): void {
  const promise = (name: string, body: (platform: Platform, core: Scripted) => Promise<void>): void => {
    test(`${harness.name}: ${name}`, async () => {
      const core = createScripted();
      const platform = await harness.start(core.openIntake);
      try {
        await body(platform, core);
        assert.deepEqual(core.failures, []);
      } finally {
        await platform.close();
      }
    });
  };
  const messages = (core: Scripted): MessageEvent[] =>
    core.events.flatMap((one) => (one.kind === 'message' ? [one] : []));

  promise('a mention is answered by one message, which is edited until it is whole', async (platform, core) => {
    core.handle = async (_, reply) => {
      await reply.progress('');
      const id = await reply.write(piece('Hel', { done: false, last: false, actions: stop }));
      assert.equal(await reply.write(piece('Hello')), id);
    };
    platform.say('Ann', `${platform.mention} hi there`);
    await platform.until(() => platform.posts()[0]?.text === 'Hello', 'the answer stands');
    assert.equal(platform.posts().length, 1);
    const [event] = messages(core);
    assert.deepEqual([event?.text, event?.to, event?.author.name], ['hi there', 'mention', 'Ann']);
  });

  promise('a direct message is addressed to it', async (platform, core) => {
    platform.sayDirectly('Ann', 'between us');
    await platform.until(() => core.events.length === 1, 'it is accepted');
    assert.deepEqual([messages(core)[0]?.text, messages(core)[0]?.to], ['between us', 'direct']);
  });

  promise(
    'what is said in a thread belongs to the thread, which knows where it branched from',
    async (platform, core) => {
      const question = platform.say('Ann', `${platform.mention} one`);
      await platform.until(() => core.events.length === 1, 'it is accepted');
      const thread = platform.openThread(question);
      core.handle = async (_, reply) => void (await reply.write(piece('in the thread')));
      platform.say('Ann', 'two', { thread });
      await platform.until(
        () => platform.posts(thread).some((one) => one.text === 'in the thread'),
        'it is answered there',
      );
      const [above, below] = messages(core);
      assert.equal(below?.channel.startsWith(`${above?.channel}/`), true);
      assert.deepEqual([below?.to, below?.branchedFrom], ['thread', above?.messageId]);
    },
  );

  promise('an edit and a deletion name the message they are about', async (platform, core) => {
    const id = platform.say('Ann', `${platform.mention} one`);
    platform.edit(id, `${platform.mention} two`);
    platform.remove(id);
    await platform.until(() => core.events.length === 3, 'all are accepted');
    const [said, edited, removed] = core.events;
    assert.ok(said?.kind === 'message' && edited?.kind === 'edit' && removed?.kind === 'delete');
    assert.deepEqual([edited.messageId, edited.text], [said.messageId, 'two']);
    assert.deepEqual(removed.messageIds, [said.messageId]);
    assert.equal(new Set(core.events.map((one) => one.id)).size, 3);
  });

  promise(
    'the pieces of a long answer stand in order and are its text; a shorter one takes the rest back',
    async (platform, core) => {
      const text = Array.from({ length: harness.pieceChars / 4 }, (_, n) => `word${n}`).join(' ');
      const pieces = splitAnswer(text, harness.pieceChars);
      core.handle = async (_, reply) => {
        assert.ok(reply.limits.pieceChars <= harness.pieceChars);
        for (const [index, one] of pieces.entries()) {
          await reply.write(piece(one, { index, last: index === pieces.length - 1 }));
        }
      };
      platform.say('Ann', `${platform.mention} long`);
      const joined = (): string =>
        platform
          .posts()
          .map((one) => one.text.trim())
          .join(' ');
      await platform.until(() => joined() === text, 'all of it stands');
      assert.ok(pieces.length >= 2);
      core.handle = async (_, reply) => {
        for (const [index, one] of pieces.entries()) await reply.write(piece(one, { index, last: false }));
        await reply.write(piece('short'));
      };
      platform.say('Ben', `${platform.mention} short`);
      const isShort = (): boolean => platform.posts().at(-1)?.text === 'short';
      await platform.until(
        () => isShort() && platform.posts().length === pieces.length + 1,
        'only the short one is left',
      );
    },
  );

  promise('nothing it says calls anybody', async (platform, core) => {
    const text = '@everyone @here <@&1> <!channel> <!here> <!subteam^S1> hello';
    core.handle = async (_, reply) => {
      await reply.write(piece(text));
      await reply.say('more', { ...secret(text), private: false });
    };
    platform.say('Ann', `${platform.mention} shout`);
    await platform.until(() => platform.posts().length === 2, 'both stand');
    assert.equal(platform.pinged(), false);
  });

  promise('a button orders what it stands for, from under the message it stands under', async (platform, core) => {
    core.handle = async (event, reply) => {
      if (event.kind === 'message') await reply.write(piece('Begun', { done: false, last: false, actions: stop }));
      else await reply.say('outcome', secret('Only Ann may.'));
    };
    platform.say('Ann', `${platform.mention} talk`);
    const post = await platform.until(() => platform.posts()[0], 'it begins');
    assert.deepEqual(post.buttons, ['Stop']);
    platform.press('Ben', post.id, 'Stop');
    await platform.until(() => platform.toldPrivately('Ben').some((one) => /Only Ann/.test(one)), 'Ben is told');
    const order = core.events.find((one) => one.kind === 'command');
    assert.ok(order?.kind === 'command' && order.target !== undefined);
    assert.deepEqual([order.command, order.author.name], [{ line: 'stop' }, 'Ben']);
    assert.equal(platform.posts().length, 1);
  });

  promise('a command is answered to whoever gave it, and to nobody else', async (platform, core) => {
    core.handle = async (_, reply) => await reply.say('outcome', secret('The role is secret.'));
    platform.order('Ann', ['role', 'show'], {});
    await platform.until(() => platform.toldPrivately('Ann').includes('The role is secret.'), 'Ann is told');
    assert.deepEqual([platform.posts(), platform.toldPrivately('Ben')], [[], []]);
    assert.equal(core.events[0]?.kind, 'command');
  });

  promise('a refusal of what was asked by mention is as private as the platform allows', async (platform, core) => {
    core.handle = async (_, reply) => await reply.say('outcome', secret('Only admins may.'));
    platform.say('Ann', `${platform.mention} /memory export`);
    await platform.until(() => platform.toldPrivately('Ann').includes('Only admins may.'), 'Ann is told');
    assert.deepEqual(platform.posts(), []);
  });

  promise('what is delivered again is known again', async (platform, core) => {
    core.handle = async (_, reply) => void (await reply.write(piece('once')));
    const id = platform.say('Ann', `${platform.mention} hi`);
    platform.redeliver(id);
    platform.redeliver(id);
    platform.say('Ann', `${platform.mention} last`);
    await platform.until(() => platform.posts().length === 2, 'both are answered');
    assert.equal(core.events.length, 2);
  });

  promise('an answer that is taken back leaves nothing', async (platform, core) => {
    core.handle = async (_, reply) => {
      await reply.write(piece('too', { done: false, last: false }));
      await reply.write(piece('many', { index: 1, done: false, last: false }));
      await reply.withdraw();
      await reply.say('done', secret('gone'));
    };
    platform.say('Ann', `${platform.mention} hi`);
    await platform.until(() => platform.toldPrivately('Ann').includes('gone'), 'it is over');
    assert.deepEqual(platform.posts(), []);
  });

  promise('while it works on something long, the note gives way to the answer', async (platform, core) => {
    core.handle = async (_, reply) => {
      await reply.progress('folding');
      await reply.write(piece('done'));
    };
    platform.say('Ann', `${platform.mention} hi`);
    await platform.until(() => platform.posts().some((one) => one.text === 'done'), 'it is answered');
    assert.equal(platform.posts().length, 1);
  });
}
