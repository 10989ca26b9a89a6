import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import { BotError } from '../../src/errors.ts';
import { toChannelId } from '../../src/event.ts';
import { createLog } from '../../src/log.ts';
import { type McpTools, startMcp } from '../../src/tools/mcp.ts';
import { parseMcpConfig } from '../../src/tools/mcp-config.ts';
import { createServer } from './mcp-server-program.ts';

/** MCP servers as they really are: a program of its own, and one behind an address. */

const lines: string[] = [];
const log = createLog({
  level: 'debug',
  format: 'json',
  secrets: [],
  destination: { write: (line) => lines.push(line) },
});
const channel = toChannelId({ platform: 'test', workspace: 'w', channel: 'c' });
const elsewhere = toChannelId({ platform: 'test', workspace: 'w', channel: 'other' });
const times = { startMs: 20_000, callMs: 1500, waitMs: 3000, firstPauseMs: 10, longestPauseMs: 200, steadyMs: 60_000 };
const program = {
  command: process.execPath,
  args: [`${import.meta.dirname}/mcp-server-program.ts`],
};

/** As it stands in a configuration. */
const variable = (name: string): string => `\${${name}}`;

const started: McpTools[] = [];
after(async () => {
  await Promise.all(started.map((one) => one.stop()));
});

function start(servers: Record<string, unknown>, more: Partial<typeof times> = {}): McpTools {
  const specs = parseMcpConfig(JSON.stringify({ servers }), { TOKEN: 'a-very-secret-token' });
  const tools = startMcp({ servers: specs, log, times: { ...times, ...more } });
  started.push(tools);
  return tools;
}

async function until<T>(what: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 600; tries++) {
    const found = await what();
    if (found !== undefined && found !== false) return found;
    await sleep(20);
  }
  throw new Error('it never came about');
}

const namesOf = async (mcp: McpTools, where = channel) => (await mcp.tools(where)).map((tool) => tool.name);
const ready = (mcp: McpTools, prefix: string) =>
  until(async () => (await namesOf(mcp)).some((name) => name.startsWith(prefix)));

async function call(mcp: McpTools, name: string, args: unknown = {}, signal = new AbortController().signal) {
  const tool = (await mcp.tools(channel)).find((one) => one.name === name);
  assert.ok(tool, `${name} is not among ${(await namesOf(mcp)).join()}`);
  return await tool.run(args, { channel, signal, now: 0 });
}

const said = (words: RegExp) => (error: unknown) =>
  error instanceof BotError && error.kind === 'tool' && words.test(error.message);

// One program for all that leaves it alive.
const shared = start({
  lab: { ...program, env: { LAB_TOKEN: variable('TOKEN') }, channels: ['c'] },
  few: { ...program, tools: ['echo', 'p*'], channels: ['test/w/*'] },
});

test('starting waits for no server; its tools are offered once it is there', async () => {
  assert.deepEqual(await namesOf(shared), []);
  await ready(shared, 'lab_');
  assert.ok((await namesOf(shared)).includes('lab_echo'));
  assert.equal(await call(shared, 'lab_echo', { text: 'hello' }), 'you said hello');
});

test('its tools are offered only where the configuration says, and only those it names', async () => {
  await ready(shared, 'few_');
  await ready(shared, 'lab_');
  const here = await namesOf(shared);
  assert.ok(here.includes('lab_hang') && here.includes('few_pid') && !here.includes('few_hang'));
  assert.deepEqual(await namesOf(shared, elsewhere), ['few_echo', 'few_plain', 'few_pid']);
});

test('letters that the chat API does not take are replaced in its names', async () => {
  assert.equal(await call(shared, 'lab_files_read'), 'dotted');
});

test('a tool that says nothing of arguments is offered as one that takes none', async () => {
  await ready(shared, 'lab_');
  const plain = (await shared.tools(channel)).find((tool) => tool.name === 'lab_plain');
  assert.deepEqual(plain?.parameters, { type: 'object', properties: {} });
  assert.equal(await call(shared, 'lab_plain'), 'plain');
  assert.ok(!JSON.stringify(await shared.tools(channel)).includes('$schema'), 'some servers refuse that');
});

test('the child sees of our environment only the path, the home and what is named for it', async () => {
  const names: unknown = JSON.parse(await call(shared, 'lab_environment'));
  assert.ok(Array.isArray(names));
  // Some systems add variables of their own to every process.
  const given = names.map(String).filter((name) => name in process.env || name === 'LAB_TOKEN');
  const expected = ['HOME', 'LAB_TOKEN', 'PATH'].filter((name) => name in process.env || name === 'LAB_TOKEN');
  assert.deepEqual(new Set(given), new Set(expected));
});

test('pictures and files are named, texts are passed on', async () => {
  const told = await call(shared, 'lab_mixed');
  assert.match(
    told,
    /^a picture:\n\[image: image\/png, 3 KB; it cannot be shown here\]\n\[file:\/\/\/notes.txt\]\nthe notes\n/,
  );
  assert.match(told, /\[file: file:\/\/\/a.bin, application\/zip, 1 KB\]\n\[link: a page https:\/\/example.org\/\]$/);
});

test('an error that a tool reports, wrong arguments included, is passed on as such', async () => {
  assert.equal(await call(shared, 'lab_fail'), 'The tool reported an error:\nno such ticket');
  assert.match(await call(shared, 'lab_echo', { text: 5 }), /error.*text/is);
  await assert.rejects(call(shared, 'lab_echo', ['x']), { kind: 'input' });
});

test('a result that is very long is cut', async () => {
  const told = await call(shared, 'lab_big');
  assert.ok(told.length < 17_000);
  assert.match(told, /\[cut: it had 200000 characters\]$/);
});

test('tools that a server learns later are offered, and as long as nothing changes they are the same', async () => {
  const before = await shared.tools(channel);
  assert.equal((await shared.tools(channel))[0], before[0]);
  await call(shared, 'lab_learn');
  await until(async () => (await namesOf(shared)).includes('lab_learned'));
  assert.equal(await call(shared, 'lab_learned'), 'I can do more now');
});

test('a tool that hangs is given up in time, and the server answers on', async () => {
  await assert.rejects(call(shared, 'lab_hang'), said(/did not answer in time/));
  assert.equal(await call(shared, 'lab_echo', { text: 'still here' }), 'you said still here');
});

test('stopping the answer ends the call at once', async () => {
  const stop = new AbortController();
  const hanging = call(shared, 'lab_hang', {}, stop.signal);
  stop.abort(new BotError('stopped', 'enough'));
  await assert.rejects(hanging, { kind: 'stopped' });
});

test('a server that dies in a call is started again, its tools are offered all the while', async () => {
  const before = await call(shared, 'lab_pid');
  await assert.rejects(call(shared, 'lab_die'), said(/ended during the call/));
  assert.ok((await namesOf(shared)).includes('lab_echo'));
  assert.notEqual(await call(shared, 'lab_pid'), before);
});

/** A child whose parent is gone waits for the system to take note of its end. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

/** With a session for each client, as most servers have it. */
async function serve(port = 0): Promise<{ url: string; server: Server; seen: (string | undefined)[] }> {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
  const seen: (string | undefined)[] = [];
  const listener = getRequestListener(async (request) => {
    const known = sessions.get(request.headers.get('mcp-session-id') ?? '');
    if (known !== undefined) return await known.handleRequest(request);
    if (request.headers.has('mcp-session-id')) return new Response('no such session', { status: 404 });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        sessions.set(id, transport);
      },
    });
    await createServer().connect(transport);
    return await transport.handleRequest(request);
  });
  const server = createHttpServer((request, response) => {
    seen.push(request.headers.authorization);
    if (request.url !== '/mcp') response.writeHead(404).end();
    else void listener(request, response);
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, server, seen };
}

async function end(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
}

describe('each with a server of its own', { concurrency: true }, () => {
  test('a server that answers nothing any more is ended and started again', async () => {
    const spun = start({ spun: program }, { callMs: 300, waitMs: 700 });
    await ready(spun, 'spun_');
    const before = await until(async () => await call(spun, 'spun_pid').catch(() => undefined));
    await assert.rejects(call(spun, 'spun_spin'), said(/did not answer in time/));
    const now = await until(async () => await call(spun, 'spun_pid').catch(() => undefined));
    assert.notEqual(now, before);
    assert.throws(() => process.kill(Number(before), 0), { code: 'ESRCH' });
  });

  test('a command that does not exist is tried again with growing pauses, and takes nothing with it', async () => {
    const from = lines.length;
    const missing = start({ missing: { command: '/nonexistent/server' } });
    const pauses = (): unknown[] =>
      lines
        .slice(from)
        .map((line) => JSON.parse(line))
        .filter((line) => line.level === 40 && line.mcp === 'missing')
        .map((line) => line.pauseMs);
    await until(() => pauses().length >= 4);
    assert.deepEqual(pauses().slice(0, 4), [10, 20, 40, 80]);
    assert.deepEqual(await namesOf(missing), []);
  });

  test('a server that speaks only the newest form of the protocol is understood, and its news too', async () => {
    const newest = start({ newest: { ...program, args: [...program.args, '--newest'] } });
    await ready(newest, 'newest_');
    assert.equal(await call(newest, 'newest_echo', { text: 'hello' }), 'you said hello');
    await call(newest, 'newest_learn');
    await until(async () => (await namesOf(newest)).includes('newest_learned'));
  });

  test('a server behind an address answers, learns, dies and is found again', async () => {
    const first = await serve();
    const web = start({ web: { url: first.url, headers: { Authorization: `Bearer ${variable('TOKEN')}` } } });
    await ready(web, 'web_');
    assert.equal(await call(web, 'web_echo', { text: 'hello' }), 'you said hello');
    assert.ok(first.seen.every((header) => header === 'Bearer a-very-secret-token'));
    await call(web, 'web_learn');
    await until(async () => (await namesOf(web)).includes('web_learned'));
    await assert.rejects(call(web, 'web_hang'), said(/did not answer in time/));
    await assert.rejects(call(web, 'web_huge'), said(/./));

    await end(first.server);
    await assert.rejects(call(web, 'web_echo', { text: 'x' }), said(/ended during the call|not there just now/));
    const second = await serve(Number(new URL(first.url).port));
    assert.equal(
      await until(async () => await call(web, 'web_echo', { text: 'back' }).catch(() => undefined)),
      'you said back',
    );
    await web.stop();
    await end(second.server);
  });

  test('a server that says more than anybody may is ended; when the program stops, it ends with what it started', async () => {
    const own = start({ own: program }, { callMs: 10_000 });
    await ready(own, 'own_');
    await assert.rejects(call(own, 'own_huge'), said(/ended during the call/));
    assert.match(await call(own, 'own_echo', { text: 'again' }), /again/);

    const pids = [await call(own, 'own_pid'), await call(own, 'own_helper')].map(Number);
    await own.stop();
    for (const pid of pids) await until(() => isGone(pid));
  });
});

test('what the configuration tells a server in confidence stands in no log', () => {
  assert.doesNotMatch(lines.join(''), /a-very-secret-token/);
});
