import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Values } from '../../src/commands/command.ts';
import { completeLine } from '../../src/commands/complete.ts';
import { parseCommand } from '../../src/commands/parse.ts';
import { settingExamples } from '../../src/commands/settings.ts';
import { BotError } from '../../src/errors.ts';
import { settingChoices, specs } from './command-specs.ts';
import { runs } from './property-runs.ts';

const people = ['Ann', 'Ann Smith', 'Bob', '„Quote'];

function more(option: string, values: Values): readonly string[] {
  if (option === 'value') return settingExamples(String(values.name));
  return option === 'who' ? people : [];
}

test('the words of a command complete one after the other', () => {
  const cases: Record<string, string[]> = {
    '': ['role ', 'reset', 'undo', 'forget ', 'memory ', 'usage', 'settings ', 'stop', 'retry', 'help'],
    re: ['reset', 'retry'],
    '/ro': ['/role '],
    RO: ['role '],
    role: ['role show', 'role set ', 'role clear'],
    'role ': ['role show', 'role set ', 'role clear'],
    'role s': ['role show', 'role set '],
    'forget l': ['forget last '],
    'forget m': ['forget me'],
    '/ forget  e': ['/ forget  everything'],
    reset: [],
    'reset ': [],
    'xyz ': [],
    'role xyz ': [],
    'role set You': [],
  };
  for (const [line, lines] of Object.entries(cases)) assert.deepEqual(completeLine(specs, line), lines, line);
});

test('choices complete wherever they may stand, and are offered once', () => {
  assert.deepEqual(completeLine(specs, 'usage '), ['usage today', 'usage week', 'usage month', 'usage by ']);
  assert.deepEqual(completeLine(specs, 'usage week '), ['usage week by ']);
  assert.deepEqual(completeLine(specs, 'usage week by'), [
    'usage week by person',
    'usage week by channel',
    'usage week by model',
  ]);
  assert.deepEqual(completeLine(specs, 'usage week by M'), ['usage week by model']);
  assert.deepEqual(completeLine(specs, 'usage by model '), [
    'usage by model today',
    'usage by model week',
    'usage by model month',
  ]);
});

test('settings complete by name, with a space for the value, and then by value; people by name', () => {
  assert.deepEqual(completeLine(specs, 'settings set temp', more), ['settings set temperature ']);
  assert.deepEqual(
    completeLine(specs, '/settings set temperature', more),
    ['0', '0.3', '0.7', '1'].map((value) => `/settings set temperature ${value}`),
  );
  assert.deepEqual(completeLine(specs, 'settings set listen a', more), [
    'settings set listen addressed',
    'settings set listen all',
  ]);
  assert.deepEqual(
    completeLine(specs, 'settings clear ', more),
    settingChoices.map((name) => `settings clear ${name}`),
  );
  assert.deepEqual(completeLine(specs, 'forget user ann', more), ['forget user Ann', 'forget user Ann Smith'].slice(1));
  assert.deepEqual(completeLine(specs, 'forget user Ann S', more), ['forget user Ann Smith']);
  assert.deepEqual(completeLine(specs, 'forget user ', more).at(-1), 'forget user "„Quote"');
});

test('a completion goes on from what was typed, and can be completed until it is a command', () => {
  const picks = fc.array(fc.nat(), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(picks, fc.boolean(), fc.boolean(), (numbers, slash, spaced) => {
      let line = slash ? '/' : '';
      for (const number of numbers) {
        const lines = completeLine(specs, line, more);
        for (const one of lines) assert.ok(one.startsWith(line), `${line} became ${one}`);
        const next = lines[number % Math.max(1, lines.length)];
        if (next === undefined) break;
        line = spaced ? `${next} ` : next;
      }
      assertIsBegun(line);
    }),
    runs(1000),
  );
});

/** A command, or one that only lacks what comes next. */
function assertIsBegun(line: string): void {
  try {
    parseCommand(specs, { line });
  } catch (error) {
    assert.ok(error instanceof BotError, String(error));
    assert.match(error.message, / needs /, line);
  }
}

test('every command is found by completing from the first letter of each word', () => {
  for (const spec of specs) {
    let line = '';
    for (const word of spec.path) {
      line =
        completeLine(specs, line === '' ? word.slice(0, 1) : `${line} ${word.slice(0, 1)}`)
          .find((one) => one.trimEnd().endsWith(word))
          ?.trimEnd() ?? '';
    }
    assert.equal(line, spec.path.join(' '));
  }
});

test('nothing odd or huge breaks completion', () => {
  assert.deepEqual(completeLine(specs, 'role '.repeat(200_000)), []);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const begun of ['', 'usage by ', 'settings set ', 'forget user "']) completeLine(specs, begun + text, more);
    }),
    runs(300),
  );
});
