import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Answer, ChatRequest } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { type Line, newFolder, order, say, shownOf, startProgram } from './program.ts';

/** What people order about the memory and its answers. Each test has a channel, and people, of its own. */

const gates = new Map<string, PromiseWithResolvers<void>>();

function gateOf(name: string): PromiseWithResolvers<void> {
  const gate = gates.get(name) ?? Promise.withResolvers<void>();
  gates.set(name, gate);
  return gate;
}

const isFold = (request: ChatRequest): boolean => /memory of a chat channel/.test(request.messages[0]?.text ?? '');

function answer(request: ChatRequest): string | Answer {
  if (isFold(request)) return `People told stories; so wrote summary ${request.n}, and nothing else is known of it.`;
  const [, name] = /wait-(\w+)/.exec(request.last) ?? [];
  return name === undefined
    ? `reply ${request.n}`
    : { pieces: [`begun ${request.n} `, gateOf(name).promise, 'and ended'] };
}

const server = await startModelServer({ answer });
const program = startProgram({
  env: { DATA_DIR: newFolder({ after }), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k' },
});
after(async () => {
  assert.equal(await program.end(), 0);
  await server.close();
});

const person = (name: string, admin = false) => ({ author: { id: `id-${name}`, name, admin } });

async function run(channel: string, text: string, more: object = {}): Promise<Line> {
  return await program.ending(order(program, text, { channel, ...more }));
}

async function ask(channel: string, text: string, more: object = {}): Promise<string> {
  const id = say(program, `${text} #${channel}`, { channel, ...more });
  await program.ending(id);
  return id;
}

/** The answers' requests that have to do with a channel: every question names it. */
const requestsOf = (channel: string) =>
  server.requests.filter((one) => !isFold(one) && JSON.stringify(one.body).includes(`#${channel}`));

/** All that the model is sent with the next question there. */
async function sent(channel: string, more: object = {}): Promise<string> {
  await ask(channel, 'and now?', more);
  return textOf(requestsOf(channel).at(-1));
}

const textOf = (request: ChatRequest | undefined): string =>
  (request?.messages ?? []).map(({ role, text }) => `${role}: ${text}`).join('\n');

async function waitFor(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const fileOf = ({ files = [] }: Line, name: string): string =>
  files.find((file) => file.name === name)?.content ?? assert.fail(`no ${name}`);

function refused(line: Line, why: RegExp): void {
  assert.match(line.text ?? '', why);
  assert.ok(line.text?.startsWith('⚠️ '), line.text);
  assert.equal(line.private, true);
}

function publicly(line: Line, what: RegExp): void {
  assert.match(line.text ?? '', what);
  assert.equal(line.private, false);
}

function privately(line: Line, what: RegExp): void {
  assert.match(line.text ?? '', what);
  assert.equal(line.private, true);
}

describe('the role', { concurrency: true }, () => {
  test('a role is set for everybody to see, sent first, shown, and cleared again', async () => {
    privately(await run('roles', 'role show'), /^The role here:\n> You are a helpful assistant in a chat channel\.$/m);
    publicly(
      await run('roles', '/role set You are a pirate.', person('Cyd')),
      /^🎭 Cyd set the role: You are a pirate\.$/,
    );
    assert.match(await sent('roles'), /^system: You are a pirate\./);
    privately(await run('roles', 'role show'), /\n> You are a pirate\.$/m);
    const mention = say(program, '/role set You are\na "parrot".', { channel: 'roles', ...person('Ben') });
    publicly(await program.ending(mention), /^🎭 Ben set the role: You are a "parrot"\.$/);
    privately(await run('roles', 'role show'), /\n> You are\n> a "parrot"\.$/m);
    const before = await sent('roles');
    assert.match(before, /^system: You are\na "parrot"\./);
    assert.doesNotMatch(before, /pirate|\/role/, 'a command is not part of the conversation');
    publicly(await run('roles', 'role clear'), /^🎭 Ann cleared the role; the usual one holds again\.$/);
    refused(await run('roles', 'role clear'), /no role was set for this channel/i);
    assert.match(await sent('roles'), /^system: You are a helpful assistant/);
    const { text = '' } = await run('roles', 'memory show');
    const changes = [...text.matchAll(/UTC: (.*)/g)].map((match) => match[1]);
    assert.deepEqual(changes, [
      'Cyd set the role: You are a pirate.',
      'Ben set the role: You are a "parrot".',
      'Ann cleared the role',
    ]);
  });

  test('a role that leaves no room for a conversation, or says nothing, is refused', async () => {
    refused(await run('long', `role set ${'You are very, very wordy. '.repeat(2000)}`), /This role is too long/);
    refused(await run('long', 'role set'), /\/role set needs text: what I am to be/);
    refused(await run('long', 'role'), /\/role needs a word more: `\/role show`/);
    privately(await run('long', 'role show'), /helpful assistant/);
  });
});

describe('reset and undo', { concurrency: true }, () => {
  test('a reset puts away what the channel and its threads know, and undo brings it back in both', async () => {
    const top = await ask('tree', 'The code is zebra.');
    const thread = { thread: 't', branchedFrom: top };
    await ask('tree', 'The name is Quux.', thread);
    assert.match(await sent('tree', thread), /zebra[\s\S]*Quux/);
    const told = await run('tree', 'reset', person('Dan'));
    publicly(told, /^🧹 Dan reset my memory of this channel\. The role stays; `undo` brings the memory back\.$/);
    assert.deepEqual(told.actions, [{ label: 'Undo', command: 'undo' }], 'offered where it is told');
    assert.doesNotMatch(await sent('tree', thread), /zebra|Quux/);
    assert.doesNotMatch(await sent('tree'), /zebra/);
    privately(await run('tree', 'memory show'), /🧹 1 earlier memory was put away by a reset/);
    publicly(await run('tree', 'undo'), /^↩️ Ann brought back what the last reset had put away\.$/);
    assert.match(await sent('tree'), /zebra/);
    assert.match(await sent('tree', thread), /Quux/);
    refused(await run('tree', 'undo'), /There is no reset of this channel to undo/);
    const { text = '' } = await run('tree', 'memory show');
    assert.match(text, /UTC: Dan reset the memory\n.*UTC: Ann undid the reset/);
  });

  test('a reset in a thread leaves its channel alone, and keeps the role', async () => {
    const top = await ask('leaf', 'The code is tapir.');
    const thread = { thread: 't', branchedFrom: top };
    await run('leaf', 'role set You are a gardener.', { thread: 't' });
    await ask('leaf', 'The name is Corge.', thread);
    publicly(await run('leaf', 'reset', { thread: 't' }), /of this thread\./);
    const inThread = await sent('leaf', thread);
    assert.doesNotMatch(inThread, /Corge/);
    assert.match(inThread, /You are a gardener/);
    const inChannel = await sent('leaf');
    assert.match(inChannel, /tapir/);
    assert.doesNotMatch(inChannel, /gardener|Corge/);
  });
});

describe('forget', { concurrency: true }, () => {
  test('it asks first, and only with the confirmation it erases', async () => {
    await ask('last', 'The code is 4711.');
    await ask('last', 'The name is Grault.');
    const asked = await run('last', 'forget last 1', { author: { id: 'u1', name: 'Ann' } });
    refusedNothing(asked);
    privately(asked, /^`\/forget last 1` cannot be undone: it erases for good/);
    refused(await run('last', 'forget last 1 confirm', person('Eve')), /There is nothing of yours here/);
    assert.match(await sent('last', person('Fay')), /4711[\s\S]*Grault/);
    const [yes] = asked.actions ?? [];
    assert.equal(yes?.label, 'Yes, erase it');
    // By default people are called u1 here, so it is Ann's own last message that goes, not Fay's.
    privately(
      await run('last', yes?.command ?? '', { author: { id: 'u1', name: 'Ann' } }),
      /^🗑️ I have forgotten your last message, answers included\./,
    );
    const left = await sent('last', person('Fay'));
    assert.doesNotMatch(left, /Grault/);
    assert.match(left, /4711[\s\S]*and now/);
    privately(await run('last', 'forget last 2 confirm'), /^🗑️ I have forgotten the last 2 messages/);
    assert.doesNotMatch(await sent('last'), /and now[\s\S]*and now/);
    refused(await run('last', 'forget last none'), /n must be a whole number from 1 to 1000000, not "none"/i);
    privately(await run('last', 'memory show'), /UTC: Ann had messages forgotten/);
  });

  test('forget me takes what one wrote in every channel, and nobody else’s words', async () => {
    const gil = person('Gil');
    const top = await ask('me-one', 'The code is garply.', gil);
    await ask('me-one', 'The tree is an oak.', person('Hal'));
    await ask('me-two', 'The name is Waldo.', gil);
    await ask('me-one', 'The fish is a carp.', { thread: 't', branchedFrom: top, ...gil });
    const asked = await run('me-one', 'forget me', gil);
    const done = await run('me-one', asked.actions?.[0]?.command ?? '', gil);
    privately(done, /^🗑️ I have forgotten everything you wrote in any channel here, answers included\. What others/);
    const one = await sent('me-one', person('Hal'));
    assert.match(one, /oak/);
    assert.doesNotMatch(one, /garply|Gil/);
    assert.doesNotMatch(await sent('me-two', person('Hal')), /Waldo|Gil/);
    assert.doesNotMatch(await sent('me-one', { thread: 't', ...person('Hal') }), /carp|garply|Gil/);
    assert.doesNotMatch(fileOf(await run('me-one', 'memory export'), 'memory.json'), /garply|id-Gil/);
  });

  test('an admin has another person forgotten, by name or by id, also where that person never was', async () => {
    await ask('user-one', 'The code is fred.', person('Ida Long'));
    await ask('user-two', 'The code is plugh.', person('Jon'));
    refused(await run('user-one', 'forget user Jon', person('Kim')), /Only admins may use \/forget user\./);
    refused(await run('user-one', 'forget user Nobody confirm'), /Nobody called "Nobody" has spoken here/);
    refused(await run('user-one', 'forget user Nobody'), /Nobody called "Nobody" has spoken here/);
    refused(await run('nothing-said', 'forget last 3'), /There is nothing here that could be forgotten/);
    privately(
      await run('user-one', 'forget user ida long confirm'),
      /^🗑️ I have forgotten everything that person wrote in any channel here, answers included\./,
    );
    privately(await run('user-one', 'forget user id-Jon confirm'), /everything that person wrote/);
    assert.doesNotMatch(await sent('user-one'), /fred/);
    assert.doesNotMatch(await sent('user-two'), /plugh/);
  });

  test('everything that was said in a channel and its threads goes at once, also what a reset put away', async () => {
    const top = await ask('all', 'The code is xyzzy.');
    await ask('all', 'The name is Thud.', { thread: 't', branchedFrom: top });
    await run('all', 'reset');
    await ask('all', 'The tree is a fir.');
    refused(await run('all', 'forget everything', person('Kim')), /Only admins/);
    privately(
      await run('all', 'forget everything confirm'),
      /^🗑️ I have forgotten everything that was said here[^.]*\. The role and the settings stay\.$/,
    );
    await run('all', 'undo');
    assert.doesNotMatch(await sent('all'), /xyzzy|fir\b/);
    assert.doesNotMatch(await sent('all', { thread: 't' }), /xyzzy|Thud/);
    for (const more of [{}, { thread: 't' }]) {
      assert.doesNotMatch(fileOf(await run('all', 'memory export', more), 'memory.json'), /xyzzy|Thud|fir\b/);
    }
  });
});

/** A question back is no refusal. */
function refusedNothing({ text = '' }: Line): void {
  assert.doesNotMatch(text, /^⚠️/);
}

describe('what is remembered', { concurrency: true }, () => {
  test('it is shown by parts, with who spoke; the next prompt is shown exactly', async () => {
    await ask('seen', 'My cat is Mirabelle.', person('Lea'));
    await ask('seen', 'Mine is Tom.', person('Max'));
    const show = await run('seen', 'memory show', person('Lea'));
    privately(show, /^\*\*What I remember here\*\* \(of \d+ tokens; model .+\)\n`role {7}/);
    assert.match(
      show.text ?? '',
      /\n4 messages word for word, 0 summaries\.\nWho spoke: me \(2\), Lea \(1\), Max \(1\)\./,
    );
    refused(await run('seen', 'memory prompt', person('Lea')), /Only admins may use \/memory prompt\./);
    const prompt = await run('seen', 'memory prompt', person('Lea', true));
    privately(prompt, /^The next prompt here: 7 messages, \d+ tokens by my count/);
    const shown = JSON.parse(fileOf(prompt, 'prompt.json'));
    await ask('seen', 'Hello', person('Lea'));
    const real = requestsOf('seen')
      .at(-1)
      ?.messages.map(({ raw }) => raw);
    assert.deepEqual(real?.slice(0, -1), shown.slice(0, -1));
    assert.deepEqual(shown.at(-1), { role: 'user', content: 'Lea: …' });
  });

  test('an export is all that was recorded, as JSON and as Markdown, for admins', async () => {
    await ask('taken', 'My cat is Mirabelle.', person('Lea'));
    refused(await run('taken', 'memory export', person('Lea')), /Only admins may use \/memory export\./);
    const exported = await run('taken', 'memory export');
    privately(exported, /^Everything recorded here: 2 messages, 0 summaries\.$/);
    const whole = JSON.parse(fileOf(exported, 'memory.json'));
    assert.deepEqual(
      whole.turns.map((turn: Record<string, unknown>) => [turn.role, turn.name, turn.text]),
      [
        ['user', 'Lea', 'My cat is Mirabelle. #taken'],
        ['assistant', undefined, requestsOf('taken')[0] && `reply ${requestsOf('taken')[0]?.n}`],
      ],
    );
    assert.match(
      fileOf(exported, 'memory.md'),
      /^# lines\/local\/taken\n[\s\S]*- \[.*\] Lea: My cat is Mirabelle\. #taken\n/,
    );
  });

  test('a summary is written anew when an admin says so', async () => {
    refused(await run('anew', 'memory rewrite'), /Nothing is folded here yet/);
    await run('anew', 'settings set memory_tokens 1100');
    const folds = () => server.requests.filter((one) => isFold(one) && one.last.includes('#anew'));
    for (let n = 0; n < 12 && folds().length === 0; n++) {
      await ask('anew', `Story ${n}: ${'a lantern in the harbour, '.repeat(20)}`);
    }
    publicly(
      await program.line((line) => line.channel === 'anew' && line.key === 'folded'),
      /^🗂️ This channel has grown/,
    );
    const show = await run('anew', 'memory show');
    assert.match(show.text ?? '', /📄 Summary of messages 1–\d+: People told stories; so wrote summary/);
    refused(await run('anew', 'memory rewrite', person('Kim')), /Only admins/);
    const [before] = folds();
    privately(await run('anew', 'memory rewrite'), /^I am writing 1 summary of this channel anew, from the messages/);
    await waitFor(() => folds().length > 1);
    const again = folds().at(-1);
    assert.equal(again?.last.slice(0, 200), before?.last.slice(0, 200), 'from the same messages');
    privately(await run('anew', 'memory show'), /UTC: Ann had the summaries written anew/);
  });
});

describe('stop and retry', { concurrency: true }, () => {
  test('whoever asked may stop an answer, others not, and where none is written that is said', async () => {
    refused(await run('halt', 'stop', person('Ned')), /There is no answer being written here just now/);
    const id = say(program, 'wait-halt #halt', { channel: 'halt', ...person('Ned') });
    await program.line((line) => line.id === id && line.type === 'write');
    refused(await run('halt', 'stop', person('Ola')), /Only whoever asked the question, or an admin, may use \/stop\./);
    const mention = say(program, '/stop', { channel: 'halt', ...person('Ned') });
    privately(await program.ending(mention), /^⏹️ Stopped\.$/);
    await program.ending(id);
    gateOf('halt').resolve();
    assert.match(shownOf(program.lines, { channel: 'halt', id }).text, /\n\n⏹️ Stopped by Ned\.$/);
  });

  test('retry answers the last question again, the earlier answers stay as alternatives of the same turn', async () => {
    refused(await run('again', 'retry', person('Pia')), /There is no question here to answer again/);
    const id = await ask('again', 'What is a lion?', person('Pia'));
    refused(
      await run('again', 'retry', person('Quin')),
      /Only whoever asked the question, or an admin, may use \/retry\./,
    );
    const texts: string[] = [shownOf(program.lines, { channel: 'again', id }).text];
    for (const who of [person('Pia'), person('Root', true)]) {
      const retry = order(program, 'retry', { channel: 'again', ...who });
      await program.ending(retry);
      texts.push(shownOf(program.lines, { channel: 'again', id: retry }).text);
    }
    assert.equal(new Set(texts).size, 3);
    const { turns } = JSON.parse(fileOf(await run('again', 'memory export'), 'memory.json'));
    assert.equal(turns.length, 2);
    assert.equal(turns[1].text, texts[2]);
    assert.deepEqual(
      turns[1].alternatives.map((one: { text: string }) => one.text),
      texts.slice(0, 2),
    );
    const next = await sent('again', person('Pia'));
    assert.ok(next.includes(`assistant: ${texts[2]}\n`), 'the chosen one is what is remembered');
    assert.ok(!next.includes(`: ${texts[0]}\n`) && !next.includes(`: ${texts[1]}\n`));
  });

  test('the button under an earlier answer answers that question again', async () => {
    const first = await ask('button', 'What is a lion?', person('Pia'));
    await ask('button', 'What is a tiger?', person('Pia'));
    const retry = order(program, 'retry', { channel: 'button', target: `${first}.0`, ...person('Pia') });
    await program.ending(retry);
    assert.match(requestsOf('button').at(-1)?.last ?? '', /lion/);
    const { turns } = JSON.parse(fileOf(await run('button', 'memory export'), 'memory.json'));
    assert.deepEqual(
      turns.map((turn: { alternatives?: unknown[] }) => turn.alternatives?.length ?? 0),
      [0, 1, 0, 0],
    );
  });
});

describe('finding one’s way', { concurrency: true }, () => {
  test('help lists what one may do, for an admin everything', async () => {
    const mine = await run('help', 'help', person('Ben'));
    privately(mine, /`\/role set <text>` Gives me a role in this channel/);
    assert.doesNotMatch(mine.text ?? '', /settings set|forget everything/);
    privately(await run('help', 'help'), /`\/settings set <name> <value>` .*\(admins\)/);
  });

  test('a slip of the finger is answered with what was probably meant', async () => {
    refused(await run('slip', 'rolle set x'), /There is no command "rolle"\. Did you mean `\/role set`\?/);
    refused(await run('slip', 'memroy show'), /Did you mean `\/memory show`\?/);
    refused(await run('slip', 'role sett x'), /\/role has no "sett"\. Did you mean `\/role set`\?/);
    refused(await run('slip', 'usage by modle'), /Did you mean model\?/);
    refused(await run('slip', 'xyz'), /There is no command "xyz"; `\/help` lists them all/);
    refused(await run('slip', 'undo it'), /\/undo stands alone, without "it"/);
    const mention = say(program, '/hlep', { channel: 'slip' });
    refused(await program.ending(mention), /Did you mean `\/help`\?/);
  });

  test('an empty mention is told what to do', async () => {
    privately(await program.ending(say(program, '  ', { channel: 'slip' })), /^Yes\? Write something after my name/);
  });
});

describe('who is addressed in a thread', { concurrency: true }, () => {
  const until = async (id: string): Promise<void> => {
    await program.line((line) => line.id === id && ['accepted', 'ignored'].includes(line.type));
  };

  test('alone with the bot every message is meant for it, with a second person only a mention', async () => {
    const top = await ask('two', 'Hello', person('Rob'));
    const thread = { thread: 't', branchedFrom: top, to: 'thread' };
    await ask('two', 'First without a mention', { ...thread, ...person('Rob') });
    await ask('two', 'Second without a mention', { ...thread, ...person('Rob') });
    assert.match(requestsOf('two').at(-1)?.last ?? '', /Second without/);
    const count = requestsOf('two').length;
    const other = say(program, 'Rob, look here #two', { channel: 'two', ...thread, ...person('Sue') });
    await until(other);
    const silent = say(program, 'Sue, I see #two', { channel: 'two', ...thread, ...person('Rob') });
    await until(silent);
    await ask('two', 'And with a mention?', { thread: 't', ...person('Rob') });
    assert.equal(requestsOf('two').length, count + 1);
    const last = textOf(requestsOf('two').at(-1));
    assert.match(last, /Second without[\s\S]*And with a mention/);
    assert.doesNotMatch(last, /look here|I see/, 'what was not said to it is not remembered');
    for (const id of [other, silent]) {
      assert.deepEqual(
        program.lines.filter((line) => line.id === id).map((line) => line.type),
        ['accepted'],
        'nothing is said about it',
      );
    }
  });

  test('a thread that does not hang from the conversation is none of the bot’s business', async () => {
    const id = say(program, 'Just us #apart', {
      channel: 'apart',
      thread: 't',
      branchedFrom: 'elsewhere',
      to: 'thread',
    });
    await until(id);
    await ask('apart', 'Hello', { thread: 't' });
    assert.equal(requestsOf('apart').length, 1);
    assert.doesNotMatch(textOf(requestsOf('apart')[0]), /Just us/);
  });

  test('a command without a mention works where one is alone with the bot', async () => {
    const top = await ask('slash', 'Hello', person('Tim'));
    const thread = { thread: 't', branchedFrom: top, to: 'thread', ...person('Tim') };
    publicly(
      await program.ending(say(program, '/role set You are a fish.', { channel: 'slash', ...thread })),
      /^🎭 Tim set/,
    );
    assert.match(await sent('slash', { thread: 't', ...person('Tim') }), /You are a fish/);
    assert.doesNotMatch(await sent('slash', person('Tim')), /You are a fish/);
  });
});
