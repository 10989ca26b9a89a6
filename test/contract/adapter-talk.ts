import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Model, ModelEvent, ModelRequest } from '../../src/model/model.ts';
import type { AdapterHarness, Part, Platform, Shown } from './adapter.ts';
import { startCore } from './core.ts';

/**
 * What people do and see is the same on every chat platform: one talk with the whole core behind it, run on each of them.
 * Each test goes on where the one before has ended.
 */

/** Says what it is told; holds before it goes on where the text says so. */
function createModel(): Model & { say: string; waits: ModelEvent[]; prompts: string[]; last(): string } {
  const held = '[hold]';
  const model = {
    say: '',
    /** What it is waited for first. */
    waits: [] as ModelEvent[],
    prompts: [] as string[],
    last: () => model.prompts.at(-1) ?? '',
    contextTokens: () => undefined,
    async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
      model.prompts.push(JSON.stringify(request.messages));
      yield* model.waits.splice(0);
      for (const text of model.say.split(/(?<= )|(?=\[hold\])/)) {
        if (text.startsWith(held)) await new Promise((_, reject) => signal.addEventListener('abort', reject));
        signal.throwIfAborted();
        yield { type: 'text', text };
      }
      const usage = { prompt: request.promptTokens, cached: 0, completion: 5, reasoning: 0, estimated: false };
      yield { type: 'end', finish: 'stop', usage, model: request.model, asked: request.model };
    },
  };
  return model;
}

export async function describeTalk(harness: AdapterHarness): Promise<void> {
  const model = createModel();
  const core = await startCore({ model: Object.assign(model, { requests: [], answers: () => [] }) });
  const platform: Platform = await harness.start(core.inbox.open);
  const { mention, until } = platform;
  after(async () => {
    await core.stop();
    await platform.close();
  });
  const it = (name: string, body: () => Promise<void>, ...needs: Part[]): void => {
    const skip = needs.some((one) => harness.lacks?.includes(one));
    test(`${harness.name}, talk: ${name}`, { skip }, body);
  };

  const isEnded = (one: Shown): boolean => one.buttons.includes('Retry');
  /** The answer to what is said now: the posts that come by it, when the last of them is done. */
  async function answered(ask: () => unknown, thread?: string): Promise<Shown[]> {
    const before = new Set(platform.posts(thread).map((one) => one.id));
    ask();
    return await until(() => {
      const added = platform.posts(thread).filter((one) => !before.has(one.id));
      // Shown is not yet remembered: nobody is so quick as a test.
      return added.some(isEnded) && core.inbox.running() === 0 ? added : undefined;
    }, 'it is answered');
  }

  async function toldTo(person: string, words: RegExp, ask: () => unknown): Promise<string> {
    const before = platform.toldPrivately(person).length;
    ask();
    const told = () =>
      platform
        .toldPrivately(person)
        .slice(before)
        .find((one) => words.test(one));
    return await until(told, `${person} alone is told ${words}`);
  }

  it('who is asked answers, and remembers who said what', async () => {
    model.say = 'Hello you.';
    const [first, ...more] = await answered(() => platform.say('Ann', `${mention} the colour is teal`));
    assert.deepEqual([first?.text, more], ['Hello you.', []]);
    await answered(() => platform.say('Ben', `${mention} which colour?`));
    assert.match(model.last(), /Ann: the colour is teal.*Hello you\..*Ben: which colour\?/);
  });

  it(
    'what people say among themselves is neither answered nor remembered',
    async () => {
      const asked = model.prompts.length;
      platform.say('Ann', 'a secret between us');
      platform.sayAsRobot(`${mention} answer me`);
      await answered(() => platform.say('Ben', `${mention} go on`));
      assert.equal(model.prompts.length, asked + 1);
      assert.doesNotMatch(model.last(), /secret between us|answer me/);
    },
    'overhearing',
    'robots',
  );

  it('what is said to its answer needs no mention', async () => {
    model.say = 'First.';
    const [post] = await answered(() => platform.say('Ann', `${mention} one`));
    model.say = 'Second.';
    const asked = model.prompts.length;
    platform.sayTo(post?.id ?? '', 'Ann', 'and two?');
    await until(() => platform.posts().some((one) => one.text === 'Second.'), 'it is answered');
    assert.equal(model.prompts.length, asked + 1);
    assert.match(model.last(), /First\./);
  });

  it(
    'in a thread no mention is needed while one person talks there; the channel does not hear of it',
    async () => {
      model.say = 'Noted.';
      let question = '';
      await answered(() => {
        question = platform.say('Ann', `${mention} the bird is a heron`);
      });
      const thread = platform.openThread(question);
      await answered(() => platform.say('Ann', 'which bird? (aside)', { thread }), thread);
      assert.match(model.last(), /heron/);
      const asked = model.prompts.length;
      platform.say('Ben', 'may I?', { thread });
      platform.say('Ann', 'please', { thread });
      await answered(() => platform.say('Ben', `${mention} thanks`, { thread }), thread);
      assert.equal(model.prompts.length, asked + 1);
      await answered(() => platform.say('Ann', `${mention} and here?`));
      assert.doesNotMatch(model.last(), /aside|may I/);
    },
    'overhearing',
  );

  it('an edit changes what is remembered; a deletion takes it away, with its answer', async () => {
    model.say = 'The answer was twelve.';
    let question = '';
    await answered(() => {
      question = platform.say('Ann', `${mention} the code is 1111`);
    });
    model.say = 'Yes.';
    platform.edit(question, `${mention} the code is 2222`);
    await answered(() => platform.say('Ben', `${mention} which code?`));
    assert.match(model.last(), /2222.*twelve/);
    assert.doesNotMatch(model.last(), /1111/);
    platform.remove(question);
    await answered(() => platform.say('Ben', `${mention} and now?`));
    assert.doesNotMatch(model.last(), /2222|twelve/);
  });

  it('a long answer with code stands whole, in messages of the platform’s size', async () => {
    const code = Array.from({ length: harness.pieceChars / 30 }, (_, n) => `  const value${n} = compute(${n});`);
    model.say = ['Look:', ['```ts', ...code, '```'].join('\n'), 'That is all. '.repeat(40).trim()].join('\n\n');
    const pieces = await answered(() => platform.say('Ann', `${mention} show me`));
    assert.ok(pieces.length >= 2);
    for (const { text } of pieces) {
      assert.ok(text.length <= harness.pieceChars);
      assert.equal((text.match(/^```/gm) ?? []).length % 2, 0, 'each fence is closed where it is opened');
    }
    const words = (text: string) =>
      text
        .replace(/^```\w*$/gm, '')
        .split(/\s+/)
        .filter(Boolean);
    assert.deepEqual(words(pieces.map((one) => one.text).join('\n')), words(model.say));
    assert.deepEqual(pieces.filter(isEnded), pieces.slice(-1), 'Retry is offered under the last');
  });

  it('whoever waits for a rate limit reads how long, whatever the platform has room for', async () => {
    model.say = 'After all.';
    model.waits = [
      { type: 'waiting', until: core.now() + 12_000, reason: 'the chat API allows only so many requests a minute' },
    ];
    const [post, ...more] = await answered(() => platform.say('Ann', `${mention} hurry`));
    assert.deepEqual([post?.text, more], ['After all.', []]);
    assert.deepEqual(platform.notes().filter((one) => one.startsWith('12 s: the chat API')).length, 1);
  });

  it('attached text is read', async () => {
    model.say = 'Read.';
    const files = [{ name: 'notes.txt', text: 'the password is swordfish' }];
    await answered(() => platform.say('Ann', `${mention} look`, { files }));
    assert.match(model.last(), /notes\.txt.*swordfish/);
  });

  it('whoever asked may stop it, and nobody else; what was written stays', async () => {
    model.say = 'Begun and [hold]';
    const before = platform.posts().length;
    platform.say('Ann', `${mention} tell me`);
    const post = await until(() => platform.posts()[before], 'it begins');
    assert.deepEqual(post.buttons, ['Stop']);
    await toldTo('Ben', /Only whoever asked/, () => platform.press('Ben', post.id, 'Stop'));
    platform.press('Ann', post.id, 'Stop');
    const stopped = await until(() => platform.posts().find((one) => one.id === post.id && isEnded(one)), 'it stops');
    assert.match(stopped.text, /^Begun and\b.*[Ss]topped by Ann/s);
    assert.equal(platform.posts().length, before + 1);
  });

  it('Retry answers the same question again', async () => {
    const post = platform.posts().at(-1);
    model.say = 'Another answer.';
    const [again] = await answered(() => platform.press('Ann', post?.id ?? '', 'Retry'));
    assert.equal(again?.text, 'Another answer.');
    assert.match(model.last(), /tell me/);
  });

  it('the role is set for all to see, told to one person alone, and played', async () => {
    platform.order('Ann', ['role', 'set'], { text: 'You are a pirate.' });
    await until(
      () => platform.posts().some((one) => /Ann set the role: You are a pirate\./.test(one.text)),
      'it is set',
    );
    await toldTo('Ben', /You are a pirate/, () => platform.order('Ben', ['role', 'show'], {}));
    await toldTo('Ben', /You are a pirate/, () => platform.say('Ben', `${mention} /role show`));
    await answered(() => platform.say('Ben', `${mention} hello`));
    assert.match(model.last(), /You are a pirate/);
  });

  it('a refusal is told to one person alone, by command and by mention, and says which rule', async () => {
    const before = platform.posts().length;
    const byCommand = await toldTo('Ann', /Only admins/, () =>
      platform.order('Ann', ['settings', 'set'], { name: 'temperature', value: '1' }),
    );
    const byMention = await toldTo('Ann', /Only admins/, () =>
      platform.say('Ann', `${mention} /settings set temperature 1`),
    );
    assert.equal(byCommand, byMention);
    assert.equal(platform.posts().length, before);
  });

  it('what is no command is told so, with help', async () => {
    await toldTo('Ann', /there is no command.*help/i, () => platform.say('Ann', `${mention} /dance wildly`));
  });

  it('a reset is announced, and forgets; undo brings it back', async () => {
    platform.order('Ann', ['reset'], {});
    await until(() => platform.posts().some((one) => /Ann reset my memory/.test(one.text)), 'it is announced');
    await answered(() => platform.say('Ben', `${mention} what do you know?`));
    assert.doesNotMatch(model.last(), /teal/);
    platform.order('Ann', ['undo'], {});
    await until(() => platform.posts().some((one) => /brought back/.test(one.text)), 'it is brought back');
    await answered(() => platform.say('Ben', `${mention} and now?`));
    assert.match(model.last(), /teal/);
  });

  it('what fails is one line with Retry under it, which mends it', async () => {
    model.say = '';
    const isFailure = (one: Shown): boolean => one.text.startsWith('⚠️');
    platform.say('Ann', `${mention} fail`);
    const post = await until(() => platform.posts().find(isFailure), 'it is told');
    assert.deepEqual([post.text.split('\n').length, post.buttons], [1, ['Retry']]);
    model.say = 'Mended.';
    const pressed = await answered(() => platform.press('Ann', post.id, 'Retry'));
    assert.ok(pressed.some((one) => one.text === 'Mended.'));
  });

  it('nothing of all this has called anybody', async () => {
    model.say = '@everyone <!channel> <@&1> <!subteam^S1> hello';
    await answered(() => platform.say('Ann', `${mention} shout`));
    assert.equal(platform.pinged(), false);
  });
}
