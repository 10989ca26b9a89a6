import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { type Answer, type ChatRequest, failure } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { type Line, newFolder, order, say, shownOf, startProgram } from './program.ts';

/** A database, an MCP server and roles, from the line that asks to the line that answers. */

const root = path.resolve(import.meta.dirname, '../..');
const folder = newFolder({ after });
const roles = path.join(folder, 'roles');
const music = path.join(folder, 'music.db');
const mcp = path.join(folder, 'mcp.json');
cpSync(path.join(root, 'roles'), roles, { recursive: true });
execFileSync(process.execPath, [path.join(root, 'src/tools/sample-music.ts'), music]);
const lab = { command: process.execPath, args: [path.join(root, 'test/contract/mcp-server-program.ts')] };
writeFileSync(
  mcp,
  JSON.stringify({ servers: { lab: { ...lab, channels: ['lab', 'music'], tools: ['echo', 'hang', 'die', 'pid'] } } }),
);

const query = (sql: string) => ({ name: 'ask_database', arguments: JSON.stringify({ query: sql }) });
const call = (name: string, args: object = {}) => ({ name, arguments: JSON.stringify(args) });

function resultsOf({ messages }: ChatRequest): string[] {
  const from = messages.findLastIndex((message) => message.role === 'user');
  return messages.slice(from).flatMap((message) => (message.role === 'tool' ? [message.text] : []));
}

const best = `SELECT artists.name, count(*) AS n FROM artists JOIN albums ON artist_id = artists.id
  JOIN tracks ON album_id = albums.id GROUP BY artists.id ORDER BY n DESC LIMIT 1`;

/** A model that calls what it is asked to, and mends what went wrong. */
function answer(request: ChatRequest): string | Answer {
  if (request.model === 'gpt-imaginary') {
    return failure(404, { message: 'The model `gpt-imaginary` does not exist', code: 'model_not_found' });
  }
  const asked = request.messages.findLast((message) => message.role === 'user')?.text ?? '';
  const last = resultsOf(request).at(-1);
  if (asked.includes('most tracks')) {
    if (last === undefined) return { calls: [query('SELECT artist FROM tracks')] };
    if (last.includes('no such column')) return { calls: [query(best)] };
  }
  if (last !== undefined) return `Told: ${last.split('\n').slice(1, 3).join(' ')}`;
  if (asked.includes('delete')) return { calls: [query('DELETE FROM tracks')] };
  const wanted = /call (\w+)/.exec(asked)?.[1];
  return wanted === undefined ? 'Fine.' : { calls: [call(wanted, { text: 'hello' })] };
}

const server = await startModelServer({ answer });
const program = startProgram({
  env: {
    DATA_DIR: newFolder({ after }),
    OPENAI_BASE_URL: server.url,
    OPENAI_API_KEY: 'k',
    OPENAI_MODEL: 'gpt-4o',
    TOOLS: 'all',
    SQL_TOOL_FILE: music,
    MCP_CONFIG: mcp,
    ROLES_DIR: roles,
  },
});
after(async () => {
  assert.equal(await program.end(), 0);
  await server.close();
});

async function ask(channel: string, text: string, more: object = {}): Promise<string> {
  const id = say(program, text, { channel, ...more });
  await program.ending(id);
  return shownOf(program.lines, { id, channel }).text;
}

async function run(channel: string, text: string, more: object = {}): Promise<Line> {
  return await program.ending(order(program, text, { channel, ...more }));
}

function offered(): string[] {
  const tools: unknown = server.requests.at(-1)?.body.tools ?? [];
  return [...JSON.stringify(tools).matchAll(/"function":\{"name":"([^"]+)"/g)].map((match) => match[1] ?? '');
}

const thread = { thread: 't1' };
const system = (): string => server.requests.at(-1)?.messages[0]?.text ?? '';

test('a question about music is answered from the database, by a query that failed first', async () => {
  assert.match(await ask('music', 'Which artist has the most tracks?'), /The Beatles.*8/);
  assert.match(JSON.stringify(server.requests.at(-1)?.body.tools), /CREATE TABLE albums/);
});

test('what the model may not do to the database it is told', async () => {
  const bytes = readFileSync(music);
  assert.match(await ask('music', 'Please delete all tracks'), /DELETE is refused; only reading is allowed/);
  assert.deepEqual(readFileSync(music), bytes);
});

test('the tools of an MCP server are called where they are offered, and are not there elsewhere', async () => {
  while (!offered().includes('lab_echo')) await ask('lab', 'Is it there?');
  assert.match(await ask('lab', 'call lab_echo'), /you said hello/);
  await ask('room', 'And here?');
  assert.ok(offered().includes('ask_database') && !offered().some((name) => name.startsWith('lab_')));
});

test('an MCP server that dies takes no answer with it, and is there again', async () => {
  assert.match(await ask('lab', 'call lab_die'), /ended during the call and is started again/);
  assert.match(await ask('lab', 'call lab_echo'), /you said hello|is not there just now/);
});

test('an answer whose tool hangs can be stopped', async () => {
  const id = say(program, 'call lab_hang', { channel: 'lab' });
  await program.line((line) => line.id === id && line.type === 'progress' && String(line.note).includes('lab_hang'));
  await run('lab', 'stop');
  await program.ending(id);
  assert.equal(await ask('lab', 'And now?'), 'Fine.');
});

test('a role that is chosen comes with its words, its examples and its settings', async () => {
  const { text, private: isPrivate } = await run('school', 'role preset tutor');
  assert.match(String(text), /🎭 Ann chose the role tutor: helps you learn/);
  assert.equal(isPrivate, false);
  await ask('school', 'Hello!');
  assert.match(system(), /^You are a tutor for whatever people here want to learn/);
  const [, first, second] = server.requests.at(-1)?.messages ?? [];
  assert.match(`${first?.role}: ${first?.text}`, /^user: I don't get why 1\/3/);
  assert.equal(second?.role, 'assistant');
  assert.equal(server.requests.at(-1)?.body.temperature, 0.5);
  await run('school', 'settings set temperature 1');
  await ask('school', 'Hello again!');
  assert.equal(server.requests.at(-1)?.body.temperature, 1);
});

test('a thread has the role of its channel until it is given another', async () => {
  await ask('school', 'Hello in the thread!', thread);
  assert.match(system(), /^You are a tutor/);
  assert.match(String((await run('school', 'role show', thread)).text), /of the preset \*\*tutor\*\*/);
  await run('school', 'role set You are a parrot.', thread);
  await ask('school', 'And now?', thread);
  assert.match(system(), /^You are a parrot\./);
  assert.ok(!server.requests.at(-1)?.messages.some((message) => message.text.includes('1/3 + 1/4')));
});

test('a role says which tools it has', async () => {
  await run('desk', 'role preset sql-analyst');
  await ask('desk', 'Hello!');
  assert.deepEqual(offered(), ['ask_database']);
});

test('the settings of a role are those of its role alone, and never stronger than what an admin has set', async () => {
  await run('desk', 'role set You are a poet.', thread);
  await ask('desk', 'A verse!', thread);
  assert.ok(offered().length > 1, 'the tools of the role above went with it');
  await run('lobby', 'settings set tools none');
  await run('lobby', 'role preset sql-analyst', thread);
  await ask('lobby', 'Hello!', thread);
  assert.match(system(), /^You answer questions about the data/);
  assert.deepEqual(offered(), []);
});

test('what comes from a role is shown so, and a model that it names and nobody knows is told', async () => {
  const shown = String((await run('desk', 'settings show')).text);
  assert.match(shown, /`temperature {7}` 0 \(from the preset sql-analyst\)/);
  assert.match(shown, /`tools {13}` ask_database \(from the preset sql-analyst\)/);
  assert.match(String((await run('desk', 'settings clear tools')).text), /not set for this channel/);
  writeFileSync(
    path.join(roles, 'x0.md'),
    '---\nname: dreamer\ndescription: dreams\nsettings: {model: gpt-imaginary}\n---\nYou dream.\n',
  );
  await run('dream', 'role preset dreamer');
  const id = say(program, 'Hello?', { channel: 'dream' });
  assert.match(String((await program.ending(id)).text), /^⚠️ The chat API does not know the model “gpt-imaginary”/);
  const told = await program.line((line) => line.id === id && line.key === 'undone');
  assert.match(String(told.text), /The preset \*\*dreamer\*\* names the model “gpt-imaginary”, which is not there/);
  await run('dream', 'settings set model gpt-4o');
  assert.equal(await ask('dream', 'And now?'), 'Fine.');
});

test('a role that leaves no room, or wants what is not offered, is told so', async () => {
  const header = (name: string, more: string) => `---\nname: ${name}\ndescription: tries\n${more}\n---\nYou try.\n`;
  writeFileSync(path.join(roles, 'x1.md'), header('wordy', 'settings: {max_reply_tokens: 900000}'));
  writeFileSync(path.join(roles, 'x2.md'), header('reaching', 'tools: [current_time, get_moon]'));
  assert.match(String((await run('desk', 'role preset wordy')).text), /^⚠️ The model gpt-4o reads/);
  assert.match(
    String((await run('hall', 'role preset reaching')).text),
    /tries\. It would call get_moon, which is not/,
  );
  await ask('hall', 'Hello!');
  assert.deepEqual(offered(), ['current_time']);
});

test('the roles there are, and the one that holds, are shown; a slip of the pen is guessed', async () => {
  const shown = String((await run('school', 'role show')).text);
  assert.match(shown, /of the preset \*\*tutor\*\*:\n> You are a tutor/);
  assert.match(shown, /- \*\*translator\*\*: translates what you write/);
  assert.doesNotMatch(shown, /- \*\*tutor\*\*/);
  assert.match(String((await run('school', 'role preset tuter')).text), /no preset "tuter"\. Did you mean tutor\?/);
});

test('a role whose file changes, breaks or goes holds as the file is now', async () => {
  const file = path.join(roles, 'tutor.md');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace('You are a tutor for whatever', 'You are a strict tutor for whatever'));
  await ask('school', 'More!');
  assert.match(system(), /^You are a strict tutor/);
  rmSync(file);
  await ask('school', 'Still here?');
  assert.match(system(), /^You are a helpful assistant/);
  assert.match(String((await run('school', 'role show')).text), /^⚠️ The preset \*\*tutor\*\* .* is not there any more/);
  writeFileSync(file, before);
  await ask('school', 'Welcome back!');
  assert.match(system(), /^You are a tutor/);
});

test('a role in words, and none at all, put the chosen one away', async () => {
  await run('school', 'role set You are a cook.');
  await ask('school', 'Hungry?');
  assert.match(system(), /^You are a cook\./);
  await run('school', 'role preset tutor');
  await run('school', 'role clear');
  await ask('school', 'And?');
  assert.match(system(), /^You are a helpful assistant/);
  assert.match(String((await run('school', 'role clear')).text), /no role was set/i);
});
