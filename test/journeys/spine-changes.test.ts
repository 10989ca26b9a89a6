import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Answer, ChatRequest } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, order, say, shownOf, startProgram } from './program.ts';

/** What happens to an answer under way when somebody changes what it stands on. Each test has a channel of its own. */

const gates = new Map<string, PromiseWithResolvers<void>>();

/** A question with `wait-NAME` in it is answered by a beginning, and by an end once the gate of that name is open. */
function gateOf(name: string): PromiseWithResolvers<void> {
  const gate = gates.get(name) ?? Promise.withResolvers<void>();
  gates.set(name, gate);
  return gate;
}

function answer(request: ChatRequest): string | Answer {
  const [, name] = /wait-(\w+)/.exec(request.last) ?? [];
  if (name === undefined) return `reply ${request.n}`;
  return { pieces: [`begun ${request.n} `, gateOf(name).promise, 'and ended'] };
}

const ben = { author: { id: 'u2', name: 'Ben' } };

const server = await startModelServer({ answer });
const program = startProgram({
  env: { DATA_DIR: newFolder({ after }), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k' },
});
after(async () => {
  assert.equal(await program.end(), 0);
  await server.close();
});

/** The requests that have to do with a channel: every text in one names it. */
const requestsOf = (channel: string) => server.requests.filter((one) => JSON.stringify(one.body).includes(channel));
const begun = (id: string) => program.line((line) => line.id === id && line.type === 'write');
const shown = (channel: string, id: string) => shownOf(program.lines, { channel, id });

async function ask(channel: string, text: string, more: object = {}): Promise<string> {
  const id = say(program, `${channel}: ${text}`, { channel, ...more });
  await program.ending(id);
  return id;
}

function change(channel: string, line: object): void {
  program.send({ id: `${channel}-change`, at: 1_760_000_900_000, channel, ...line });
}

/** What the model is sent next there. */
async function nextRequest(channel: string): Promise<string> {
  await ask(channel, 'and now?');
  return JSON.stringify(requestsOf(channel).at(-1)?.body);
}

async function turnsOf(channel: string): Promise<Record<string, unknown>[]> {
  const { files = [] } = await program.ending(order(program, 'memory export', { channel }));
  return JSON.parse(files[0]?.content ?? '{}').turns;
}

describe('while an answer is being written', { concurrency: true }, () => {
  test('a question that is deleted takes its answer back, and the model never hears of it again', async () => {
    const id = say(program, 'taken: wait-taken my PIN is 4711', { channel: 'taken' });
    await begun(id);
    change('taken', { type: 'delete', messageIds: [id] });
    assert.equal((await program.ending(id)).type, 'withdraw');
    gateOf('taken').resolve();
    assert.doesNotMatch(await nextRequest('taken'), /4711|begun/);
    assert.equal(shown('taken', id).text, '');
    assert.equal(shown('taken', id).endings.length, 1);
  });

  test('a question that is edited is answered anew, as it stands now', async () => {
    const id = say(program, 'anew: wait-anew what is a lion?', { channel: 'anew' });
    await begun(id);
    change('anew', { type: 'edit', messageId: id, text: 'anew: what is a tiger?' });
    await program.ending(id);
    gateOf('anew').resolve();
    const [first, second, ...more] = requestsOf('anew');
    assert.match(first?.last ?? '', /lion/);
    assert.match(second?.last ?? '', /tiger/);
    assert.deepEqual(more, []);
    assert.equal(shown('anew', id).text, `reply ${second?.n}`);
    assert.doesNotMatch(await nextRequest('anew'), /lion|begun/);
  });

  test('stop keeps what was written, marked, and the conversation goes on from it', async () => {
    const id = say(program, 'halt: wait-halt tell me everything', { channel: 'halt' });
    await begun(id);
    const refused = await program.ending(order(program, 'stop', { channel: 'halt', ...ben }));
    assert.match(refused.text ?? '', /^⚠️ Only whoever asked the question, or an admin/);
    assert.deepEqual(shown('halt', id).endings, []);
    const stopped = await program.ending(order(program, '/stop', { channel: 'halt' }));
    assert.equal(stopped.text, '⏹️ Stopped.');
    await program.ending(id);
    gateOf('halt').resolve();
    assert.match(shown('halt', id).text, /^begun \d+ \n\n⏹️ Stopped by Ann\.$/);
    assert.match(await nextRequest('halt'), /begun \d+ +\[…\]/);
    assert.equal(shown('halt', id).endings.length, 1);
  });

  test('stop before the first word ends in one line, and retry answers after all', async () => {
    server.answerWith((request) =>
      request.last.startsWith('Ann: mute:') ? { hang: 'after-headers' } : answer(request),
    );
    const id = say(program, 'mute: hello?', { channel: 'mute' });
    await waitFor(() => requestsOf('mute').length === 1);
    await program.ending(order(program, 'stop', { channel: 'mute' }));
    const ended = await program.ending(id);
    assert.deepEqual([ended.type, ended.text], ['say', '⏹️ Stopped by Ann.']);
    server.answerWith(answer);
    const nothing = await program.ending(order(program, 'stop', { channel: 'mute' }));
    assert.match(nothing.text ?? '', /^⚠️ There is no answer being written here/);
    const retry = order(program, 'retry', { channel: 'mute' });
    await program.ending(retry);
    assert.match(shown('mute', retry).text, /^reply \d+$/);
    assert.equal(shown('mute', id).endings.length, 1);
  });

  test('a reset drops the answer from the memory, and says so under what was written', async () => {
    const id = say(program, 'fresh: wait-fresh remember 4711', { channel: 'fresh' });
    await begun(id);
    await program.ending(order(program, 'reset', { channel: 'fresh' }));
    await program.ending(id);
    gateOf('fresh').resolve();
    assert.match(shown('fresh', id).text, /^begun \d+ \n\n⏹️ Ann reset the memory\.$/);
    assert.doesNotMatch(await nextRequest('fresh'), /4711|begun/);
  });

  test('when another message of its prompt is deleted, the answer is written anew without it', async () => {
    const secret = await ask('other', 'the code is zebra');
    const id = say(program, 'other: wait-other what do you know?', { channel: 'other' });
    await begun(id);
    change('other', { type: 'delete', messageIds: [secret] });
    await waitFor(() => requestsOf('other').length === 3);
    gateOf('other').resolve();
    await program.ending(id);
    const [, before, after, ...more] = requestsOf('other').map((one) => JSON.stringify(one.body));
    assert.match(before ?? '', /zebra/);
    assert.doesNotMatch(after ?? '', /zebra/);
    assert.deepEqual(more, []);
    assert.match(shown('other', id).text, /^begun \d+ and ended$/);
    assert.equal(shown('other', id).endings.length, 1);
    assert.doesNotMatch(await nextRequest('other'), /zebra/);
  });

  test('a message whose deletion came before it is not answered, and the model never hears of it', async () => {
    change('early', { type: 'delete', messageIds: ['early-1'] });
    say(program, 'early: my PIN is 4711', { channel: 'early', id: 'early-1' });
    assert.equal((await program.ending('early-1')).type, 'withdraw');
    assert.doesNotMatch(await nextRequest('early'), /4711/);
    assert.equal(requestsOf('early').length, 1);
  });

  test('a message whose edit came before it is answered as it stands now', async () => {
    change('late', { type: 'edit', messageId: 'late-1', text: 'late: what is a tiger?' });
    say(program, 'late: what is a lion?', { channel: 'late', id: 'late-1' });
    await program.ending('late-1');
    assert.equal(requestsOf('late').length, 1);
    assert.match(requestsOf('late')[0]?.last ?? '', /tiger/);
    assert.doesNotMatch(await nextRequest('late'), /lion/);
  });

  test('what waits behind an answer and is deleted or edited there is never said as it was', async () => {
    const first = say(program, 'queue: wait-queue hello', { channel: 'queue' });
    await begun(first);
    const second = say(program, 'queue: my PIN is 4711', { channel: 'queue' });
    const third = say(program, 'queue: what is a lion?', { channel: 'queue' });
    change('queue', { type: 'delete', messageIds: [second] });
    change('queue', { type: 'edit', id: 'queue-edit', messageId: third, text: 'queue: what is a tiger?' });
    await program.line((line) => line.type === 'accepted' && line.id === 'queue-edit');
    await program.ending(order(program, 'stop', { channel: 'queue' }));
    gateOf('queue').resolve();
    assert.equal((await program.ending(second)).type, 'withdraw');
    await program.ending(third);
    assert.match(requestsOf('queue').at(-1)?.last ?? '', /tiger/);
    await nextRequest('queue');
    assert.doesNotMatch(JSON.stringify(requestsOf('queue').map((one) => one.body)), /4711|lion/);
  });

  test('a question that never stops changing ends in one line, and is answered once it is quiet', async () => {
    const id = say(program, 'storm: wait-storm 0', { channel: 'storm' });
    for (let n = 1; n <= 4; n++) {
      await waitFor(() => requestsOf('storm').length === n);
      change('storm', { type: 'edit', id: `storm-${n}`, messageId: id, text: `storm: wait-storm ${n}` });
    }
    const told = await program.line((line) => line.id === id && line.key === 'outcome');
    assert.match(told.text ?? '', /^⚠️ The conversation kept changing[^\n]+retry[^\n]+$/);
    assert.equal(shown('storm', id).text, '', 'what was written is taken back');
    gateOf('storm').resolve();
    const retry = order(program, 'retry', { channel: 'storm', target: id });
    await program.ending(retry);
    assert.match(requestsOf('storm').at(-1)?.last ?? '', /wait-storm 4$/);
    assert.match(shown('storm', retry).text, /^begun \d+ and ended$/);
  });

  test('a deletion or an edit that comes with its message, in the same moment, is never lost', async () => {
    const channels = Array.from({ length: 24 }, (_, n) => `race-${n}-`);
    await Promise.all(
      channels.map(async (channel, n) => {
        const id = say(program, `${channel}: my PIN is 4711`, { channel });
        if (n % 2 === 0) change(channel, { type: 'delete', messageIds: [id] });
        else change(channel, { type: 'edit', messageId: id, text: `${channel}: nothing` });
        const ended = await program.ending(id);
        // A deletion may still come when the answer stands; what matters is what is remembered.
        assert.ok(ended.type === 'write' || (n % 2 === 0 && ended.type === 'withdraw'), ended.type);
        assert.doesNotMatch(await nextRequest(channel), /4711/);
        // An edit in the moment between an answer's last piece and its commit has it written anew, into the same message.
        const posts = program.lines.filter((line) => line.id === id && line.type === 'write');
        assert.ok(new Set(posts.map((line) => line.messageId)).size <= 1);
        assert.doesNotMatch(JSON.stringify(await turnsOf(channel)), /4711/);
      }),
    );
  });

  test('a stop in the last moment leaves the answer, whole or marked, as it is remembered', async () => {
    const channels = Array.from({ length: 40 }, (_, n) => `last-${n}-`);
    await Promise.all(
      channels.map(async (channel, n) => {
        const id = say(program, `${channel}: wait-last${n} hello`, { channel });
        await begun(id);
        gateOf(`last${n}`).resolve();
        await new Promise((resolve) => setTimeout(resolve, n * 3));
        await program.ending(order(program, 'stop', { channel }));
        assert.equal((await program.ending(id)).type, 'write');
        const turns = await turnsOf(channel);
        assert.equal(turns.length, 2);
        const { text } = shown(channel, id);
        assert.equal(text.split('\n\n')[0], turns[1]?.text);
        assert.equal(shown(channel, id).endings.length, 1);
      }),
    );
  });
});

async function waitFor(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}
