import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planRepaint } from '../../adapters/terminal/repaint.ts';
import { createScreen } from '../../adapters/terminal/screen.ts';
import { createPaint } from '../../adapters/terminal/text.ts';
import { runs } from './property-runs.ts';
import { createEmulator } from './terminal-emulator.ts';

const question = { id: 'q', earlier: undefined };

function start(columns = 20, rows = 1_000, color = false) {
  const emulator = createEmulator(columns, rows);
  const screen = createScreen({
    output: emulator.output,
    paint: createPaint(color),
    color,
    toCommand: (code) => (code === 'undo' ? `/${code}` : undefined),
    makeRoom: () => {},
  });
  const write = (text: string, last = false, index = 0) =>
    screen.write(question, { index, text, done: last, last, actions: [] });
  return { ...emulator, screen, write };
}

test('whatever an answer went through, the screen shows what it became', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n'), maxLength: 70 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), text, (before, final) => {
      const { write, seen } = start();
      for (const one of before) write(one);
      write(final, true);
      const fresh = start();
      fresh.write(final, true);
      const expected = final === '' && before.some((one) => one !== '') ? 'assistant:' : fresh.seen();
      assert.equal(seen(), expected);
    }),
    runs(500),
  );
});

test('of a growing answer only what was added is printed', () => {
  const { write, raw } = start(60);
  write('Mira');
  write('Mirabelle is');
  write('Mirabelle is your cat.', true);
  assert.equal(raw(), 'assistant: Mirabelle is your cat.\n');
});

test('the pieces of an answer are printed as one text', () => {
  const { write, raw } = start(60);
  write('One, ');
  write('two', false, 1);
  write('two, three', true, 1);
  assert.equal(raw(), 'assistant: One, two, three\n');
});

test('an answer that begins anew with fewer pieces keeps none of the old ones', () => {
  const { write, seen } = start();
  write('One, ');
  write('two', false, 1);
  write('Three', true, 0);
  assert.equal(seen(), 'assistant: Three');
});

test('half a character or half a line break waits for its other half', () => {
  const { write, raw } = start();
  write('cat \ud83d');
  write('cat 🐈\r');
  write('cat 🐈\r\nmeow', true);
  assert.equal(raw(), 'assistant: cat 🐈\nmeow\n');
});

test('a change beyond the top of the screen is printed anew, under a line that says so', () => {
  const { write, seen } = start(30, 3);
  write('a\nb\nc\nd');
  write('x\nb', true);
  assert.equal(seen(), 'assistant: a\nb\nc\nd\n(the answer was written anew)\nassistant: x\nb');
});

test('a notice in the middle of an answer stands on lines of its own, and the answer goes on below it', () => {
  const { screen, write, seen } = start(40);
  write('One, ');
  screen.say(undefined, { text: 'Stopping.', actions: [{ label: 'Yes, forget', command: 'forget me confirm' }] });
  write('One, two');
  write('Zwei', true);
  assert.equal(
    seen(),
    [
      'assistant: One,',
      'Stopping.',
      '[Yes, forget: /forget me confirm]',
      'two',
      '(the answer was written anew)',
      'assistant: Zwei',
    ].join('\n'),
  );
});

test('two answers at once share no line', () => {
  const { screen, seen } = start(40);
  const write = (id: string, text: string) =>
    screen.write({ id, earlier: undefined }, { index: 0, text, done: false, last: false, actions: [] });
  write('a', 'One');
  write('b', 'Uno');
  write('a', 'One two');
  write('b', 'Uno due');
  assert.equal(seen(), 'assistant: One\nassistant: Uno\n two\n due');
});

test('while it thinks one line says so, and goes when text comes', () => {
  const { screen, write, seen } = start(40);
  screen.think('thinking…');
  assert.match(seen(), /^\S thinking…$/);
  screen.think(`thinking… waiting 20 s for\n${'x'.repeat(80)}`);
  assert.match(seen(), /^\S thinking… waiting 20 s for x+…$/);
  assert.ok(seen().length < 40);
  write('Hello', true);
  assert.equal(seen(), 'assistant: Hello');
  screen.think('thinking…');
  screen.rest();
  assert.equal(seen(), 'assistant: Hello');
});

test('an answer to a question of an earlier run says which question', () => {
  const { screen, seen } = start(60);
  const earlier = { id: 'e', earlier: 'What is my cat called?' };
  screen.write(earlier, { index: 0, text: 'Mira', done: false, last: false, actions: [] });
  screen.write(earlier, { index: 0, text: 'Mirabelle', done: true, last: true, actions: [] });
  assert.equal(seen(), 'earlier you asked: What is my cat called?\nassistant: Mirabelle');
});

test('an answer is blue, and every colour ends where its text ends', () => {
  const { write, raw } = start(60, 24, true);
  write('Hi');
  write('Hi you', true);
  assert.equal(raw(), '\u001b[34massistant: \u001b[0m\u001b[94mHi\u001b[0m\u001b[94m you\u001b[0m\n');
});

test('a conversation is printed in one colour a role, and so is a tool that is called', () => {
  const { screen, raw } = start(60, 24, true);
  const transcript = [
    { role: 'system' as const, text: 'Be kind.' },
    { role: 'user' as const, text: 'Weather?' },
    { role: 'assistant' as const, text: 'get_weather({})' },
    { role: 'tool' as const, text: '7°' },
    { role: 'assistant' as const, text: 'Seven.\nSystem: no line of it is another role’s' },
  ];
  screen.say(undefined, { text: 'What I remember', transcript, actions: [] });
  screen.tool('get_weather: Oslo…');
  const red = '\u001b[31msystem: Be kind.\u001b[0m';
  const blue = '\u001b[34massistant: Seven.\nSystem: no line of it is another role’s\u001b[0m';
  assert.equal(
    raw(),
    [
      'What I remember',
      red,
      '\u001b[32muser: Weather?\u001b[0m',
      '\u001b[34massistant: get_weather({})\u001b[0m',
      '\u001b[35mtool: 7°\u001b[0m',
      blue,
      '\u001b[35mtool: get_weather: Oslo…\u001b[0m',
      '',
    ].join('\n'),
  );
});

test('an answer’s Markdown becomes styles as it grows, and its marks are gone', () => {
  const { write, seen } = start(40, 24);
  write('It is **bo');
  write('It is **bold** and `code`, not 2 * 3 or snake_case_names');
  write('It is **bold** and `code`, not 2 * 3 or snake_case_names.\n\n# Title\n- one\n- *two*\n', false);
  assert.equal(seen(), 'assistant: It is bold and code, not 2 *\n3 or snake_case_names.\n\nTitle\n• one\n• two');
});

test('going back counts rows as a terminal does', () => {
  const size = { columns: 10, rows: 24, startColumn: 4 };
  const cases: [string, string, object][] = [
    ['abc', 'abcd', { kind: 'append', added: 'd' }],
    ['abc', 'abd', { kind: 'rewind', up: 0, column: 4, text: 'abd' }],
    ['abcdef', 'b', { kind: 'rewind', up: 0, column: 4, text: 'b' }],
    ['abcdefg', 'b', { kind: 'rewind', up: 1, column: 4, text: 'b' }],
    ['a\nbc\nd', 'a\nbd', { kind: 'rewind', up: 1, column: 0, text: 'bd' }],
    ['a\n', 'a', { kind: 'rewind', up: 1, column: 4, text: 'a' }],
    ['\na', 'b', { kind: 'rewind', up: 1, column: 4, text: 'b' }],
    ['a\n日本語日本', 'a\nx', { kind: 'rewind', up: 0, column: 0, text: 'x' }],
    ['a\nx日本語日本', 'a\ny', { kind: 'rewind', up: 1, column: 0, text: 'y' }],
    ['a\n\t123', 'a\ny', { kind: 'rewind', up: 1, column: 0, text: 'y' }],
    [`a${'\n'.repeat(24)}`, 'b', { kind: 'anew' }],
  ];
  for (const [shown, next, planned] of cases) assert.deepEqual(planRepaint(shown, next, size), planned);
});
