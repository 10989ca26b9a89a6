import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { type Mode, piecesOf, setStage, shownText } from './slack-setup.ts';

/** What people say and read, the same over sockets and requests. */
export async function describeTalk(mode: Mode): Promise<void> {
  const stage = await setStage({ after }, { mode, env: { MAX_REPLY_TOKENS: '8000', MEMORY_TOKENS: '20000' } });
  const { slack, model } = stage;
  const newChannel = (name = 'talk') => slack.world.addChannel(name);
  const it = (name: string, body: () => Promise<void>): void => void test(`${mode}: ${name}`, body);

  it('a mention is answered in its thread, once, by a stream that ends', async () => {
    const channel = newChannel();
    model.answerWith(() => 'Hello Ann, how are you?');
    const question = slack.say(stage.ann, channel, `${slack.mention} hello there`);
    const answer = await stage.answerTo(channel, question);
    assert.equal(shownText(answer), 'Hello Ann, how are you?');
    assert.equal(slack.posts(channel).length, 1);
    assert.equal(answer[0]?.thread_ts, question.ts);
    assert.deepEqual(answer.filter(slack.isStreaming), []);
    assert.match(model.requests.at(-1)?.last ?? '', /Ann: hello there/);
    const started = slack.requests.find((one) => one.method === 'chat.startStream');
    assert.deepEqual(
      [started?.body.recipient_user_id, started?.body.recipient_team_id],
      [stage.ann.id, slack.world.team],
    );
    assert.ok(slack.state.statuses.some((one) => one.thread === question.ts && one.status === 'is thinking…'));
  });

  it('a mention that comes as two events, and each of them three times, is answered once', async () => {
    const channel = newChannel();
    model.answerWith(() => 'once');
    const before = model.requests.length;
    slack.delivery.faults.copies = 3;
    const question = slack.say(stage.ann, channel, `${slack.mention} hello`);
    await stage.answerTo(channel, question);
    slack.delivery.faults.copies = 1;
    slack.repeat(question);
    await stage.answerTo(channel, slack.say(stage.ben, channel, `${slack.mention} and I?`));
    assert.equal(slack.posts(channel).length, 2);
    assert.equal(model.requests.length, before + 2);
  });

  it('a direct message needs no mention, and is answered in a thread of its own', async () => {
    const place = slack.world.im(stage.ann.id);
    model.answerWith(() => 'Between us.');
    const question = slack.say(stage.ann, place, 'a secret');
    assert.equal(shownText(await stage.answerTo(place, question)), 'Between us.');
  });

  it('a channel’s mention and its answer are the channel’s; what is said in the thread is the thread’s', async () => {
    const channel = newChannel();
    model.answerWith(({ n }) => `answer ${n}`);
    const question = slack.say(stage.ann, channel, `${slack.mention} the colour is teal`);
    await stage.answerTo(channel, question);
    const inThread = slack.say(stage.ann, channel, 'which colour did I name? (aside)', { thread: question.ts });
    await stage.answerTo(channel, inThread);
    assert.match(stage.lastPrompt(), /teal/);
    const next = slack.say(stage.ben, channel, `${slack.mention} and now?`);
    await stage.answerTo(channel, next);
    assert.match(stage.lastPrompt(), /teal/);
    assert.doesNotMatch(stage.lastPrompt(), /aside/);
  });

  it('in a thread no mention is needed, until a second person speaks', async () => {
    const channel = newChannel();
    model.answerWith(({ n }) => `answer ${n}`);
    const question = slack.say(stage.ann, channel, `${slack.mention} one`);
    await stage.answerTo(channel, question);
    await stage.answerTo(channel, slack.say(stage.ann, channel, 'two', { thread: question.ts }));
    const asked = model.requests.length;
    slack.say(stage.ben, channel, 'may I join?', { thread: question.ts });
    slack.say(stage.ann, channel, 'please do', { thread: question.ts });
    const last = slack.say(stage.ben, channel, `${slack.mention} and me?`, { thread: question.ts });
    await stage.answerTo(channel, last);
    assert.equal(model.requests.length, asked + 1);
  });

  it('people, channels, links and escapes are read as they were meant, and no id reaches the model', async () => {
    const channel = newChannel('plans');
    const other = newChannel('ideas');
    model.answerWith(() => 'noted');
    const text =
      `${slack.mention} ask <@${stage.ben.id}> in <#${other.id}> or <#${other.id}|ideas>: ` +
      'x &lt; y &amp;&amp; y &gt; z, see <https://example.org/a?b=1&amp;c=2|the page> or <mailto:a@b.org|a@b.org> <!here>';
    await stage.answerTo(channel, slack.say(stage.ann, channel, text));
    assert.match(
      model.requests.at(-1)?.last ?? '',
      /ask @Ben in #ideas or #ideas: x < y && y > z, see the page \(https:\/\/example\.org\/a\?b=1&c=2\) or a@b\.org @here/,
    );
    assert.doesNotMatch(stage.lastPrompt(), new RegExp(`${stage.ben.id}|${slack.bot.id}|${other.id}`));
    const lookups = slack.requests.filter((one) => one.method === 'users.info' && one.body.user === stage.ben.id);
    assert.ok(lookups.length <= 1, 'looked up once');
  });

  it('attached text is read, images are looked at, and nothing is fetched from elsewhere', async () => {
    const channel = newChannel();
    model.answerWith(() => 'seen');
    let strangers = 0;
    const elsewhere = createServer((_, response) => {
      strangers++;
      response.writeHead(200, { 'content-type': 'text/plain' }).end('elsewhere');
    }).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const movedTo = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
    const files = [
      slack.attach('notes.txt', 'text/plain', Buffer.from('the password is swordfish')),
      slack.attach('cat.png', 'image/png', Buffer.from('iVBORw0KGgo=', 'base64')),
      slack.attach('evil.txt', 'text/plain', Buffer.from('never read'), { url: 'http://127.0.0.1:9/evil.txt' }),
      slack.attach('liar.txt', 'text/plain', Buffer.from('much longer than it says'), { size: 4 }),
      slack.attach('moved.txt', 'text/plain', Buffer.from('elsewhere'), { movedTo }),
    ];
    await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} look`, { files }));
    const asked = JSON.stringify(model.requests.at(-1)?.messages.map((one) => one.raw));
    assert.match(asked, /the password is swordfish/);
    assert.match(asked, /data:image\/png;base64,iVBORw0KGgo=/);
    assert.doesNotMatch(asked, /never read|much longer|elsewhere/);
    assert.equal(asked.match(/could not be fetched/g)?.length, 3);
    assert.equal(strangers, 0, 'nobody but Slack is asked for a file, or sees the token');
    elsewhere.close();
  });

  it('bots, integrations, notices of Slack’s and itself are never answered', async () => {
    const channel = newChannel();
    const before = model.requests.length;
    const said = `${slack.mention} hello`;
    slack.say(stage.ann, channel, said, { changes: { bot_id: 'B123' } });
    slack.say(stage.ann, channel, said, { changes: { subtype: 'channel_topic' } });
    slack.say({ id: 'USLACKBOT', team: 'T0TEAM' }, channel, said);
    slack.say({ id: slack.bot.id, team: 'T0TEAM' }, channel, said);
    model.answerWith(() => 'only you');
    await stage.answerTo(channel, slack.say(stage.ann, channel, said));
    assert.equal(model.requests.length, before + 1);
  });

  it('ten thousand characters with tables and fences arrive whole, in messages Slack takes', async () => {
    const channel = newChannel();
    const code = Array.from({ length: 120 }, (_, n) => `  const value${n} = compute(${n}); // line ${n} of it`);
    const rows = Array.from({ length: 60 }, (_, n) => `| row ${n} | value ${n * n} | some words for it |`);
    const head = ['| name | value | words |', '| --- | --- | --- |'];
    const text = [
      'First, some words.',
      [...head, ...rows].join('\n'),
      ['```ts', ...code, '```'].join('\n'),
      'And then the rest. '.repeat(200).trim(),
    ].join('\n\n');
    assert.ok(text.length > 10_000);
    model.answerWith(() => ({ text }));
    const answer = await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} tell me`), 30_000);
    for (const one of answer) assert.ok(slack.textOf(one).length <= 12_000);
    const words = (value: string) =>
      value
        .replace(/^```\w*$/gm, '')
        .split(/\s+/)
        .filter(Boolean);
    assert.deepEqual(words(shownText(answer)), words(text));
    assert.ok(answer.every((one) => one.blocks?.[0]?.type === 'markdown'));
    assert.equal(slack.posts(channel).length, answer.length);
  });

  it('nothing the model writes calls anybody', async () => {
    const channel = newChannel();
    const text = `Hear: <!channel> <!here> <!everyone> <!subteam^S123|crew> <@${stage.ben.id}> and <!DOCTYPE html>`;
    model.answerWith(() => ({ text, delayMs: 2 }));
    const answer = await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} shout`));
    assert.equal(shownText(answer), text);
    assert.match(slack.textOf(answer[0] ?? { text: '' }), /<!DOCTYPE html>/);
    const sent = JSON.stringify(slack.requests.filter((one) => one.method.startsWith('chat.')).map((one) => one.body));
    assert.doesNotMatch(sent, /<(!(channel|here|everyone)|!subteam|@U)/);
  });

  it('ten people in one channel are answered one after the other, each once', async () => {
    const channel = newChannel();
    model.answerWith(({ last }) => `to: ${last.slice(-30)}`);
    const people = Array.from({ length: 10 }, (_, n) => slack.world.addPerson(`Person${n}`));
    const questions = people.map((person, n) => slack.say(person, channel, `${slack.mention} question ${n} end`));
    for (const [n, question] of questions.entries()) {
      assert.match(shownText(await stage.answerTo(channel, question, 40_000)), new RegExp(`question ${n} end`));
    }
    assert.equal(slack.posts(channel).length, 10);
  });

  it('an edit changes what is remembered, a look at a link does not, and a deletion removes it with its answer', async () => {
    const channel = newChannel();
    model.answerWith(({ n }) => `answer ${n} word-${n}`);
    const question = slack.say(stage.ann, channel, `${slack.mention} the code is 1111`);
    await stage.answerTo(channel, question);
    slack.unfurl(channel, question);
    slack.edit(channel, question, `${slack.mention} the code is 2222`);
    await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} which?`));
    assert.match(stage.lastPrompt(), /2222/);
    assert.doesNotMatch(stage.lastPrompt(), /1111/);
    const doomed = /word-\d+/.exec(shownText(piecesOf(slack.posts(channel, question.ts), question)))?.[0] ?? '?';
    slack.remove(channel, question.ts);
    await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} and now?`));
    assert.doesNotMatch(stage.lastPrompt(), /2222/);
    assert.ok(!stage.lastPrompt().includes(doomed), 'its answer is gone, too');
  });

  it('what becomes a mention by an edit is answered once, and what was one already is not answered again', async () => {
    const channel = newChannel();
    model.answerWith(({ n }) => `answer ${n}`);
    const before = model.requests.length;
    const talk = slack.say(stage.ann, channel, 'the code is 3333');
    slack.edit(channel, talk, `${slack.mention} the code is 4444`);
    await stage.answerTo(channel, talk);
    assert.match(stage.lastPrompt(), /4444/);
    slack.edit(channel, talk, `${slack.mention} the code is 5555`);
    await stage.answerTo(channel, slack.say(stage.ben, channel, `${slack.mention} which?`));
    assert.equal(model.requests.length, before + 2);
    assert.match(stage.lastPrompt(), /5555/);
    assert.doesNotMatch(stage.lastPrompt(), /3333|4444/);
    assert.equal(slack.posts(channel).length, 2);
  });

  it('a question deleted while it is answered has no answer left', async () => {
    const channel = newChannel();
    model.answerWith(() => ({ pieces: ['Begun'], hang: 'after-pieces' }));
    const question = slack.say(stage.ann, channel, `${slack.mention} long`);
    await slack.until(() => slack.posts(channel).length === 1, 'it begins');
    slack.remove(channel, question.ts);
    await slack.until(() => slack.posts(channel).length === 0, 'it is taken back');
  });

  it('nothing was sent that Slack refuses as malformed', async () => {
    assert.deepEqual(slack.refused(), []);
    assert.deepEqual(
      slack.requests.filter((one) => one.answer === 'missing_scope'),
      [],
    );
  });
}
