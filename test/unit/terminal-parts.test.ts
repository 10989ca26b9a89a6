import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { parseArguments } from '../../adapters/terminal/arguments.ts';
import { parseLine } from '../../adapters/terminal/json-line.ts';
import { readLines } from '../../adapters/terminal/lines.ts';
import { saveFile } from '../../adapters/terminal/save-file.ts';
import { createPaint, paintTranscript, toActionLine, toOneLine, toVisible } from '../../adapters/terminal/text.ts';
import { BotError } from '../../src/errors.ts';
import { eventSchema } from '../../src/event.ts';
import { runs } from './property-runs.ts';

test('no text, whatever stands in it, can send a control sequence to the terminal', () => {
  const any = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(any, (text) => {
      const shown = [toVisible(text), toOneLine(text, 20), toActionLine([{ label: text, command: text }])].join('');
      assert.doesNotMatch(shown.replaceAll('\n', '').replaceAll('\t', ''), /\p{Cc}/u);
      assert.ok(shown.isWellFormed());
    }),
    runs(100),
  );
  assert.equal(toVisible('\u001b[2Jhi\u0007\u009b31m\r\nthere\u007f\ud800\0\t.'), '␛[2Jhi␇\ufffd31m\nthere␡\ufffd␀\t.');
});

test('without colour the paint adds nothing', () => {
  const text = 'system: one\nuser: two';
  const transcript = [
    { role: 'system' as const, text: 'one' },
    { role: 'user' as const, text: 'two' },
  ];
  assert.equal(paintTranscript(transcript, createPaint(false)), text);
  const colored = paintTranscript(transcript, createPaint(true));
  assert.notEqual(colored, text);
  assert.equal(stripVTControlCharacters(colored), text);
});

test('lines are the same however the bytes arrive', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'ü', '🐈', ' ') }), { minLength: 1 }),
      fc.constantFrom('\n', '\r\n'),
      fc.integer({ min: 1, max: 7 }),
      async (lines, end, size) => {
        const bytes = Buffer.from(lines.map((line) => line + end).join(''));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        assert.deepEqual(await Readable.from(readLines(Readable.from(chunks))).toArray(), lines);
      },
    ),
    runs(100),
  );
});

test('a last line without an end counts, and a line that is too long costs only itself', async () => {
  const read = async (text: string) => {
    const lines: (string | undefined)[] = [];
    for await (const line of readLines(Readable.from([Buffer.from(text)]), 5)) lines.push(line);
    return lines;
  };
  assert.deepEqual(await read('one\ntwo'), ['one', 'two']);
  assert.deepEqual(await read('one\n123456\ntwo\n123456'), ['one', undefined, 'two', undefined]);
});

test('the chat command knows its arguments and names a wrong one', () => {
  assert.deepEqual({ ...parseArguments([]) }, { json: false, channel: 'main', as: 'me' });
  const given = parseArguments(['--json', '--channel', 'cats/and dogs', '--as=Ann']);
  assert.deepEqual({ ...given }, { json: true, channel: 'cats/and dogs', as: 'Ann' });
  for (const wrong of [['--jsno'], ['hello'], ['--channel'], ['--as', ' ']]) {
    assert.throws(
      () => parseArguments(wrong),
      (error) => error instanceof BotError && error.kind === 'config' && error.message.includes('--channel NAME'),
    );
  }
});

const given = { now: 1_000, newId: () => 'new' };
const author = { id: 'u1', name: 'Ann' };

test('a JSON line becomes the event it describes', () => {
  const line = (value: object) => parseLine(JSON.stringify(value), given);
  const whole = {
    type: 'message',
    id: 'e1',
    at: 5,
    channel: 'c',
    thread: 't',
    text: 'hi',
    messageId: 'm1',
    to: 'thread',
    author: { ...author, admin: true, roles: ['mod'] },
    replyTo: 'm0',
    branchedFrom: 'm0',
    attachments: [{ name: 'a.txt', mime: 'text/plain', base64: 'aGk=' }],
  };
  assert.deepEqual(line(whole), {
    kind: 'event',
    event: {
      kind: 'message',
      id: 'e1',
      at: 5,
      channel: 'lines/local/c/t',
      text: 'hi',
      messageId: 'm1',
      to: 'thread',
      author: whole.author,
      replyTo: 'm0',
      branchedFrom: 'm0',
      origin: {},
      attachments: [{ name: 'a.txt', mime: 'text/plain', bytes: 2, source: 'aGk=' }],
    },
  });
  const lines = [
    { type: 'message', channel: 'c', author: { id: 'u1' }, text: '' },
    { type: 'edit', channel: 'c', messageId: 'm', text: 'x' },
    { type: 'delete', channel: 'c', messageIds: ['m'] },
    { type: 'command', channel: 'c', author, text: '/role show', to: 'direct', target: 'e1.0' },
  ];
  const events = lines.map((one) => {
    const parsed = line(one);
    assert.equal(parsed.kind, 'event');
    return eventSchema.parse('event' in parsed ? parsed.event : undefined);
  });
  const [message, edit, deletion, command] = events;
  assert.ok(message?.kind === 'message' && edit?.kind === 'edit' && deletion?.kind === 'delete');
  assert.deepEqual([message.id, message.messageId, message.at, message.to], ['new', 'new', 1_000, 'mention']);
  assert.deepEqual(message.author, { id: 'u1', name: 'u1', admin: false, roles: [] });
  assert.ok(command?.kind === 'command' && 'line' in command.command);
  assert.deepEqual([command.command.line, command.direct, command.target], ['role show', true, 'e1.0']);
});

test('a line that is no event is refused with what is wrong with it', () => {
  const problem = (text: string | undefined) => {
    const parsed = parseLine(text, given);
    return parsed.kind === 'problem' ? parsed.message : parsed.kind;
  };
  const message = (extra: object) => JSON.stringify({ type: 'message', channel: 'c', author, text: 'x', ...extra });
  assert.equal(problem(undefined), 'the line is too long');
  assert.equal(problem('  '), 'empty');
  assert.equal(problem('{"type":'), 'the line is not JSON');
  assert.match(problem('null'), /^the line: /);
  assert.match(problem('{"type":"ping"}'), /^type: /);
  assert.match(problem(message({ text: 7, channel: '' })), /^channel: .*; text: /);
  assert.match(problem(message({ texts: 'x' })), /texts/);
  assert.match(problem(message({ id: 'e1' })), /^at: needed beside an id/);
  assert.equal(problem(message({ id: 'e1', at: 3 })), 'event');
  const attached = (base64: string) => problem(message({ attachments: [{ name: 'a', mime: 'b', base64 }] }));
  assert.match(attached('no base64!'), /^attachments\.0\.base64: must be base64/);
  assert.equal(attached('aGk'), 'event', 'padding may be left out');
  assert.equal(attached(Buffer.alloc(12_000_000, 'x').toString('base64')), 'event');
});

test('a file is saved beside those already there, inside its directory, and the person learns where', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'channelore-'));
  t.after(() => rm(dir, { recursive: true }));
  const first = await saveFile(dir, { name: 'memory.json', content: 'one' });
  const second = await saveFile(dir, { name: 'memory.json', content: 'two' });
  await saveFile(dir, { name: '../../.evil\u001b[2J', content: 'three' });
  assert.deepEqual([first, second], [`Saved as ${join(dir, 'memory.json')}`, `Saved as ${join(dir, 'memory-2.json')}`]);
  assert.deepEqual((await readdir(dir)).sort(), ['_.._.evil_2J', 'memory-2.json', 'memory.json'].sort());
  assert.equal(await readFile(join(dir, 'memory.json'), 'utf8'), 'one');
  assert.match(await saveFile(join(dir, 'missing'), { name: 'a', content: '' }), /^⚠️ a could not be saved/);
});
