import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commands } from '../../src/commands/list.ts';
import { parseCommand } from '../../src/commands/parse.ts';
import type { Event, Intake, MessageEvent, Notice, OpenIntake, Piece, Reply, Surface } from '../../src/event.ts';
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
  say(person: string, text: string, more?: { thread?: string; files?: readonly Given[] }): string;
  /** As people here answer what the bot has said. */
  sayTo(post: string, person: string, text: string): string;
  sayAsRobot(text: string): void;
  sayDirectly(person: string, text: string): string;
  edit(id: string, text: string): void;
  /** A person's message, or one of the bot's. */
  remove(id: string): void;
  redeliver(id: string): void;
  /** A slash command, as this platform has them. */
  order(person: string, path: readonly string[], options: Record<string, string>): void;
  press(person: string, post: string, label: string): void;
  /** Opens a thread on a message; gives its id. */
  openThread(on: string): string;
  /** What the bot has in the channel, or in the thread, for all to see. */
  posts(thread?: string): Shown[];
  /** What it has shown while an answer was awaited. */
  notes(): string[];
  /** What the bot has said to one person alone. */
  toldPrivately(person: string): string[];
  /** The files the bot has given to one person alone. */
  filesOf(person: string): Given[];
  /** Whether anything the bot sent would have called people to it. */
  pinged(): boolean;
  until<T>(check: () => T | undefined | false, what: string): Promise<T>;
  close(): Promise<void>;
}

/** A file as people give and get it. */
export interface Given {
  name: string;
  text: string;
}

/** What not every platform has. */
export type Part = 'direct' | 'overhearing' | 'robots';

export interface AdapterHarness {
  name: string;
  /** The platform's longest message. */
  pieceChars: number;
  /** What there is not on this platform; what is promised of it is skipped. */
  lacks?: readonly Part[];
  start(openIntake: OpenIntake): Promise<Platform>;
}

interface Scripted {
  openIntake: OpenIntake;
  fetch: Surface['fetch'];
  events: Event[];
  /** What becomes of an event. */
  handle: (event: Event, reply: Reply) => Promise<void>;
  failures: unknown[];
}

/** A core that keeps what it accepts and does with it what the test says. */
function createScripted(): Scripted {
  const known = new Set<string>();
  const scripted: Scripted = {
    events: [],
    failures: [],
    handle: async () => {},
    openIntake: async () => intake,
    fetch: async () => new Uint8Array(),
  };
  let intake: Intake;
  scripted.openIntake = async (_, surface) => {
    scripted.fetch = surface.fetch;
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
  type Body = (platform: Platform, core: Scripted) => Promise<void>;
  const promise = (name: string, body: Body, needs?: Part): void => {
    const skip = needs !== undefined && harness.lacks?.includes(needs);
    test(`${harness.name}: ${name}`, { skip }, async () => {
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
    assert.equal(event?.place, 'general');
  });

  promise(
    'a direct message is addressed to it',
    async (platform, core) => {
      platform.sayDirectly('Ann', 'between us');
      await platform.until(() => core.events.length === 1, 'it is accepted');
      assert.deepEqual([messages(core)[0]?.text, messages(core)[0]?.to], ['between us', 'direct']);
    },
    'direct',
  );

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
    'overhearing',
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

  promise('nothing it says calls anybody, however it is said', async (platform, core) => {
    const calls = '@everyone @here <@&1> <!channel> <!here> <!everyone> <!subteam^S1|@crew> <\\!channel> <@U12345>';
    const code = `\`\`\`\n${calls}\n\`\`\`\n\`${calls}\``;
    const text = `${calls}\n\n| a | b |\n| --- | --- |\n| ${calls} | [x](<!here>) |\n\n${code}\n\n> ⚠️ ${calls}`;
    const files = [{ name: '<!channel> @everyone.txt', mime: 'text/plain', content: calls }];
    core.handle = async (_, reply) => {
      await reply.progress(calls);
      // It grows by one character where a call may be cut in two.
      for (const end of [1, 18, 22, 26, 27, 30, 34, text.length]) {
        await reply.write(piece(text.slice(0, end), { done: false, last: false }));
      }
      await reply.write(piece(text));
      await reply.say('more', { ...secret(text), private: false, actions: [{ label: calls, command: 'stop' }] });
      await reply.say('secret', { ...secret(text), files });
    };
    platform.say('Ann', `${platform.mention} shout`);
    await platform.until(() => platform.toldPrivately('Ann').length >= 1, 'the last is said');
    platform.order('Ann', ['role', 'show'], {});
    await platform.until(() => platform.toldPrivately('Ann').length >= 2, 'and said to a command');
    assert.ok(platform.posts().length >= 2);
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

  promise('a command means the same, however it is given', async (platform, core) => {
    const meant = () =>
      core.events.flatMap((one) => {
        if (one.kind !== 'command') return [];
        const { spec, values } = parseCommand(commands, one.command);
        return [[spec.path.join(' '), values, one.author.name, one.direct]];
      });
    platform.order('Ann', ['role', 'set'], { text: 'You are a < b & a  poet' });
    platform.order('Ben', ['usage'], { period: 'week', by: 'model' });
    platform.order('Ben', ['memory', 'show'], {});
    await platform.until(() => core.events.length === 3, 'all are accepted');
    assert.deepEqual(meant(), [
      ['role set', { text: 'You are a < b & a  poet' }, 'Ann', false],
      ['usage', { period: 'week', by: 'model' }, 'Ben', false],
      ['memory show', {}, 'Ben', false],
    ]);
  });

  promise(
    'what people say among themselves is overheard, what they say to its answer is not',
    async (platform, core) => {
      core.handle = async (event, reply) => {
        if (event.kind === 'message' && event.to === 'mention') await reply.write(piece('an answer'));
      };
      platform.say('Ann', 'just talking');
      platform.say('Ann', `${platform.mention} one`);
      const post = await platform.until(() => platform.posts()[0], 'it is answered');
      platform.sayTo(post.id, 'Ann', 'two');
      await platform.until(() => core.events.length === 3, 'all are accepted');
      const [talk, asked, said] = messages(core);
      assert.deepEqual([talk?.to, asked?.to], ['none', 'mention']);
      assert.ok(said?.to === 'reply' || said?.to === 'thread');
      assert.equal(said.text, 'two');
    },
    'overhearing',
  );

  promise(
    'robots and itself say nothing',
    async (platform, core) => {
      platform.sayAsRobot(`${platform.mention} hello`);
      core.handle = async (_, reply) => void (await reply.write(piece(`I am ${platform.mention}`)));
      platform.say('Ann', `${platform.mention} hello`);
      await platform.until(() => platform.posts().length === 1, 'it is answered');
      platform.say('Ann', `${platform.mention} last`);
      await platform.until(() => platform.posts().length === 2, 'and again');
      assert.deepEqual(
        messages(core).map((one) => one.author.name),
        ['Ann', 'Ann'],
      );
    },
    'robots',
  );

  promise('what is attached is told by name, kind and size, and fetched', async (platform, core) => {
    const fetched: string[] = [];
    core.handle = async (event, reply) => {
      if (event.kind !== 'message') return;
      for (const one of event.attachments) {
        const bytes = await core.fetch(one, AbortSignal.timeout(5000));
        fetched.push([one.name, one.mime, one.bytes, Buffer.from(bytes).toString()].join(' '));
      }
      await reply.write(piece('seen'));
    };
    const files = [
      { name: 'a.txt', text: 'first' },
      { name: 'b c.txt', text: 'zweite ✓' },
    ];
    platform.say('Ann', `${platform.mention} look`, { files });
    await platform.until(() => platform.posts().length === 1, 'it is answered');
    assert.deepEqual(fetched, ['a.txt text/plain 5 first', 'b c.txt text/plain 10 zweite ✓']);
  });

  promise('files are given to whoever asked, byte by byte', async (platform, core) => {
    const text = 'Zeile ✓\n';
    const files: Notice['files'] = [
      { name: 'a.md', mime: 'text/markdown', content: text },
      { name: 'b.bin', mime: 'image/png', content: Buffer.from(text).toString('base64'), encoding: 'base64' },
    ];
    core.handle = async (_, reply) => await reply.say('outcome', { ...secret('Here it is.'), files });
    platform.order('Ann', ['memory', 'export'], {});
    await platform.until(() => platform.toldPrivately('Ann').some((one) => one.startsWith('Here it is.')), 'told');
    assert.deepEqual(platform.filesOf('Ann'), [
      { name: 'a.md', text },
      { name: 'b.bin', text },
    ]);
    assert.deepEqual([platform.filesOf('Ben'), platform.posts()], [[], []]);
  });

  promise('an answer of its own that somebody deletes is told of', async (platform, core) => {
    core.handle = async (event, reply) => {
      if (event.kind === 'message') await reply.write(piece('an answer'));
    };
    platform.say('Ann', `${platform.mention} hi`);
    const post = await platform.until(() => platform.posts()[0], 'it is answered');
    platform.remove(post.id);
    const [said] = messages(core);
    const removed = await platform.until(
      () => core.events.find((one) => one.kind === 'delete' && one.channel === said?.channel),
      'the conversation it belongs to is told',
    );
    assert.deepEqual(removed.kind === 'delete' && removed.messageIds, [post.id]);
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

  promise('where nothing comes of it after all, the note goes, and nothing is left', async (platform, core) => {
    const ended: string[] = [];
    core.handle = async (event, reply) => {
      if (event.kind !== 'message') return;
      await reply.progress('');
      await reply.progress('folding');
      await reply.end();
      await reply.end();
      ended.push(event.id);
    };
    platform.say('Ann', `${platform.mention} hi`);
    await platform.until(() => ended.length === 1 && platform.posts().length === 0, 'it is over');
    await platform.until(() => platform.notes().some((note) => /folding/.test(note)), 'it was shown');
    platform.say('Ann', `${platform.mention} again`);
    await platform.until(() => ended.length === 2 && platform.posts().length === 0, 'and again');
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
