import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CommandSpec, commandName, type OptionSpec, usageLine, type Values } from '../../src/commands/command.ts';
import { commandLine, isUrgentLine, parseCommand } from '../../src/commands/parse.ts';
import { BotError } from '../../src/errors.ts';
import { specOf, specs } from './command-specs.ts';
import { runs } from './property-runs.ts';

function parsed(line: string) {
  const { spec, values, confirmed } = parseCommand(specs, { line });
  return { name: commandName(spec), values, ...(confirmed && { confirmed }) };
}

function structured(path: string[], options: Record<string, string> = {}) {
  const { spec, values, confirmed } = parseCommand(specs, { path, options });
  return { name: commandName(spec), values, ...(confirmed && { confirmed }) };
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof BotError, String(error));
    assert.equal(error.kind, 'input');
    return error.message;
  }
  assert.fail('it was taken');
}

test('a command is understood with and without its slash, in capitals, and with spaces to spare', () => {
  for (const line of [
    '/role set You are a pirate.',
    'role set You are a pirate.',
    '  / ROLE\tSet   You are a pirate. ',
  ]) {
    assert.deepEqual(parsed(line), { name: 'role set', values: { text: 'You are a pirate.' } }, line);
  }
  assert.deepEqual(parsed('/reset'), { name: 'reset', values: {} });
});

test('a text keeps its line breaks, its inner quotes, and the word confirm', () => {
  assert.equal(parsed('/role set\nOne.\r\n\r\n  Two.').values.text, 'One.\n\n  Two.');
  assert.equal(parsed('/role set "You are a pirate."').values.text, 'You are a pirate.');
  assert.equal(parsed('/role set “You are a pirate.”').values.text, 'You are a pirate.');
  assert.equal(parsed('/role set "Ahoy" and "aye" confirm').values.text, '"Ahoy" and "aye" confirm');
  assert.equal(parsed(`/role set 'tis what you say`).values.text, `'tis what you say`);
  assert.equal(parsed('/settings set stop ["a","b"]').values.value, '["a","b"]');
  assert.equal(parsed('/settings set stop "a", "b"').values.value, '"a", "b"');
  assert.equal(parsed('/settings set stop "\\n"').values.value, '\\n');
});

test('usage takes its period and its division in any order', () => {
  assert.deepEqual(parsed('usage').values, {});
  assert.deepEqual(parsed('usage week by model').values, { period: 'week', by: 'model' });
  assert.deepEqual(parsed('usage by Person month').values, { period: 'month', by: 'person' });
  assert.deepEqual(parsed('usage channel').values, { by: 'channel' });
  assert.match(
    refusal(() => parsed('usage yesterday')),
    /no place for "yesterday".*\[today\|week\|month\]/,
  );
  assert.match(
    refusal(() => parsed('usage weak')),
    /did you mean week\?/,
  );
  assert.match(
    refusal(() => parsed('usage by modle')),
    /`by` cannot be "modle"\. Did you mean model\?/,
  );
  assert.match(
    refusal(() => parsed('usage by')),
    /needs by/,
  );
  assert.match(
    refusal(() => parsed('usage week month')),
    /no place for "month"/,
  );
});

test('what cannot be undone counts as confirmed only when the line ends with the word confirm', () => {
  assert.deepEqual(parsed('forget last 4'), { name: 'forget last', values: { n: 4 } });
  assert.deepEqual(parsed('forget last 4 confirm'), { name: 'forget last', values: { n: 4 }, confirmed: true });
  assert.deepEqual(parsed('forget everything CONFIRM'), { name: 'forget everything', values: {}, confirmed: true });
  assert.deepEqual(parsed('forget user Ann  Smith confirm').values, { who: 'Ann Smith' });
  assert.deepEqual(parsed('forget user confirm'), { name: 'forget user', values: { who: 'confirm' } });
  assert.deepEqual(parsed('forget user "Ann confirm"'), { name: 'forget user', values: { who: 'Ann confirm' } });
  assert.deepEqual(parsed('forget user @Ann'), { name: 'forget user', values: { who: 'Ann' } });
  assert.deepEqual(parsed('forget user unconfirm'), { name: 'forget user', values: { who: 'unconfirm' } });
  assert.match(
    refusal(() => parsed('reset confirm')),
    /stands alone/,
  );
});

test('after a text, the confirmation stands on a line of its own', () => {
  const burn: CommandSpec = { ...specOf('role set'), path: ['burn'], confirm: true };
  const given = (line: string) => parseCommand([burn], { line });
  assert.deepEqual(given('burn what I confirm'), { spec: burn, values: { text: 'what I confirm' }, confirmed: false });
  assert.deepEqual(given('burn it all\n confirm'), { spec: burn, values: { text: 'it all' }, confirmed: true });
});

test("a platform's own options are the same command", () => {
  assert.deepEqual(structured(['Role', 'set'], { text: ' One.\nTwo. ' }), {
    name: 'role set',
    values: { text: 'One.\nTwo.' },
  });
  assert.deepEqual(structured(['forget', 'last'], { n: '4', confirm: 'yes' }), {
    name: 'forget last',
    values: { n: 4 },
    confirmed: true,
  });
  assert.deepEqual(structured(['forget', 'last'], { n: '4', confirm: 'no' }), {
    name: 'forget last',
    values: { n: 4 },
  });
  assert.deepEqual(structured(['usage'], { by: 'model', period: '' }), { name: 'usage', values: { by: 'model' } });
  assert.deepEqual(structured(['role', 'set'], { text: '"quoted"' }).values, { text: '"quoted"' });
  assert.match(
    refusal(() => structured(['reset'], { confirm: 'yes' })),
    /no option "confirm"/,
  );
  assert.match(
    refusal(() => structured(['usage'], { constructor: 'x' })),
    /no option "constructor"/,
  );
  assert.match(
    refusal(() => structured(['usage', 'week'])),
    /has no "week"/,
  );
  assert.match(
    refusal(() => structured(['forget', 'last'])),
    /needs n: how many/,
  );
  assert.match(
    refusal(() => structured([])),
    /which command/,
  );
});

test('an unknown command names the one that was probably meant', () => {
  const cases: Record<string, RegExp> = {
    '/rol set You are': /no command "rol"\. Did you mean `\/role set`\?/,
    '/roel sett x': /Did you mean `\/role set`\?/,
    '/role st x': /\/role has no "st"\. Did you mean `\/role set`\?/,
    '/rest': /Did you mean `\/reset`\?/,
    '/mem': /Did you mean `\/memory`\?/,
    '/hlep me now': /Did you mean `\/help`\?/,
    '/xyzzy': /no command "xyzzy"; `\/help` lists them all/,
    '/': /which command\? `\/help`/,
    '': /which command/,
    '"reset"': /which command/,
    '/constructor': /no command "constructor"/,
  };
  for (const [line, message] of Object.entries(cases))
    assert.match(
      refusal(() => parsed(line)),
      message,
      line,
    );
});

test('a group alone says which commands it has', () => {
  const all = '`/role show`, `/role set <text>`, `/role clear`';
  assert.equal(
    refusal(() => parsed('/role')),
    `/role needs a word more: ${all}`,
  );
  assert.equal(
    refusal(() => parsed('/role You are a pirate')),
    `/role has no "you". There is ${all}`,
  );
});

test('a value that is missing, too much or of the wrong kind is named, with how it is used', () => {
  assert.match(
    refusal(() => parsed('role set  ')),
    /\/role set needs text: what I am to be\. Usage: `\/role set <text>`/,
  );
  assert.match(
    refusal(() => parsed('forget user "@"')),
    /\/forget user needs who/,
  );
  assert.match(
    refusal(() => parsed('forget last 4 5')),
    /no place for "5"/,
  );
  assert.match(
    refusal(() => parsed('reset now')),
    /\/reset stands alone, without "now"/,
  );
  assert.match(
    refusal(() => parsed('settings set temprature 1')),
    /Did you mean temperature\?/,
  );
  assert.match(
    refusal(() => parsed('settings set x 1')),
    /`name` cannot be "x": it must be one of model, temperature/,
  );
  for (const bad of ['four', '0', '-1', '1.5', '1e3', '0x10', '٣', '99999999', '1,000']) {
    assert.match(
      refusal(() => parsed(`forget last ${bad}`)),
      /n must be a whole number from 1 to 1000000, not "/,
      bad,
    );
  }
});

test('only what must not wait behind an answer is urgent', () => {
  for (const line of ['/stop', 'STOP', ' / reset', 'forget last', 'forget me confirm'])
    assert.ok(isUrgentLine(specs, line), line);
  for (const line of ['', '/', 'forget', 'role set stop', 'stopp', 'help', '"stop"'])
    assert.ok(!isUrgentLine(specs, line), line);
});

test('every usage line, with values in its places, is understood', () => {
  for (const spec of specs) {
    const line = usageLine(spec)
      .replaceAll(/\[(\w+ )?(\w+)[^\]]*\]/g, '$1$2')
      .replaceAll(/<(\w+)>/g, (_, name: string) => String(sample(spec.options.find((option) => option.name === name))));
    const found = parseCommand(specs, { line });
    assert.equal(found.spec, spec, line);
    assert.deepEqual(
      Object.keys(found.values),
      spec.options.map((option) => option.name),
      line,
    );
  }
});

function sample(option: OptionSpec | undefined): string | number {
  return option?.kind === 'number' ? 3 : (option?.choices?.[0] ?? 'Ann');
}

const written = fc
  .string({ unit: fc.constantFrom(...'ab"\'“”„«»\\@ \n`'.split(''), 'confirm', ' confirm', '😀', 'é'), maxLength: 12 })
  .filter((text) => text.trim() !== '');

function arbitraryOf(option: OptionSpec): fc.Arbitrary<string | number | undefined> {
  const one: fc.Arbitrary<string | number> =
    option.choices !== undefined
      ? fc.constantFrom(...option.choices)
      : option.kind === 'number'
        ? fc.integer({ min: 1, max: 1_000_000 })
        : option.kind === 'person'
          ? written
              .map((text) =>
                text
                  .replace(/\s+/g, ' ')
                  .replace(/^[ @]+/, '')
                  .trim(),
              )
              .filter((text) => text !== '')
          : written.map((text) => text.trim());
  return option.required ? one : fc.option(one, { nil: undefined });
}

const orders = fc.constantFrom(...specs, { ...specOf('role set'), confirm: true }).chain((spec) =>
  fc.record({
    spec: fc.constant(spec),
    values: fc
      .tuple(...spec.options.map(arbitraryOf))
      .map((all) => spec.options.flatMap(({ name }, index) => (all[index] === undefined ? [] : [[name, all[index]]])))
      .map((entries): Values => Object.fromEntries(entries)),
    confirmed: spec.confirm ? fc.boolean() : fc.constant(false),
  }),
);

test('the line that a button stands for is read as exactly that command', () => {
  assert.equal(commandLine(specOf('forget user'), { who: 'Ann confirm' }, false), 'forget user "Ann confirm"');
  assert.equal(commandLine(specOf('forget user'), { who: 'Ann Smith' }, true), 'forget user Ann Smith confirm');
  assert.equal(commandLine(specOf('usage'), { by: 'model', period: 'week' }, true), 'usage week by model');
  fc.assert(
    fc.property(orders, ({ spec, values, confirmed }) => {
      const line = commandLine(spec, values, confirmed);
      assert.deepEqual(parseCommand([spec], { line }), { spec, values, confirmed }, JSON.stringify(line));
    }),
    runs(2000),
  );
});

test('whatever is typed is a command or an error that says so, with no control character in any value', () => {
  assert.equal(parsed('role set a\0b\ud800\u001b[31m\tc\r\nd').values.text, 'ab\ufffd[31m\tc\nd');
  const begun = fc.constantFrom(
    '',
    '/',
    'role set ',
    'forget user ',
    'forget last ',
    'usage ',
    'settings set ',
    '/settings set stop ',
  );
  fc.assert(
    fc.property(begun, fc.string({ unit: 'binary', maxLength: 40 }), (start, text) => {
      try {
        const { values } = parseCommand(specs, { line: start + text });
        for (const value of Object.values(values)) {
          assert.doesNotMatch(String(value), /[^\P{Cc}\n\t]/u);
          assert.ok(String(value).isWellFormed());
        }
      } catch (error) {
        assert.ok(error instanceof BotError && error.kind === 'input', String(error));
        assert.ok(error.message.length < 500);
        assert.doesNotMatch(error.message, /[\n\0]/);
      }
    }),
    runs(1000),
  );
});

test('a line of a megabyte is dealt with at once', () => {
  const size = 1_000_000;
  const bodies = [
    'a'.repeat(size),
    ' '.repeat(size),
    '"'.repeat(size),
    '“a '.repeat(size / 3),
    '\0'.repeat(size),
    '\\'.repeat(size),
    '\n'.repeat(size),
    '\ud800'.repeat(size),
    ' confirm'.repeat(size / 8),
  ];
  const begun = [
    '',
    '/',
    'role ',
    'role set ',
    'forget user ',
    'forget last ',
    'usage ',
    'settings set ',
    'settings set stop "',
  ];
  const started = performance.now();
  for (const body of bodies) {
    for (const start of begun) {
      try {
        parseCommand(specs, { line: `${start}${body}x` });
        parseCommand(specs, { path: start.trim().split(' '), options: { text: body, who: body } });
      } catch (error) {
        assert.ok(error instanceof BotError, String(error));
      }
      isUrgentLine(specs, start + body);
    }
  }
  assert.ok(performance.now() - started < 10_000, 'some fifty milliseconds each');
  assert.equal(parseCommand(specs, { line: `role set ${'a'.repeat(size)}` }).values.text?.toString().length, size);
  assert.match(
    refusal(() => parsed(`forget user ${'a'.repeat(size)}`)),
    /too long/,
  );
});
