import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandSpec, maxCharsOf, type OptionSpec } from '../../src/commands/command.ts';
import { commands } from '../../src/commands/list.ts';
import { type Given, parseCommand } from '../../src/commands/parse.ts';
import { BotError } from '../../src/errors.ts';

/** Every value of every command has a longest length, and who sends more hears it in one sentence. */

const options = commands.flatMap((spec) => spec.options.map((option) => ({ spec, option })));

function valid(option: OptionSpec): string {
  return option.kind === 'number' ? '1' : (option.choices?.[0] ?? 'a');
}

function given(spec: CommandSpec, option: OptionSpec, value: string): Given[] {
  const others = spec.options.filter((one) => one === option || one.required);
  const values = others.map((one): [string, string] => [one.name, one === option ? value : valid(one)]);
  const words = others.map((one) => `${one.keyword ? `${one.name} ` : ''}${one === option ? value : valid(one)}`);
  return [{ path: spec.path, options: Object.fromEntries(values) }, { line: [...spec.path, ...words].join(' ') }];
}

test('each option of each command refuses what is too long, whichever way it is given', () => {
  assert.ok(options.length > 5);
  for (const { spec, option } of options) {
    const most = option.choices === undefined ? maxCharsOf(option) : 2_000;
    assert.ok(most > 0 && most <= 100_000, `${spec.path.join(' ')}: ${option.name}`);
    const letter = option.kind === 'number' ? '1' : 'x';
    for (const length of [most + 1, 200_000]) {
      for (const one of given(spec, option, letter.repeat(length))) {
        assert.throws(
          () => parseCommand(commands, one),
          (error) => {
            assert.ok(error instanceof BotError && error.kind === 'input', String(error));
            assert.doesNotMatch(error.message, /\n/);
            assert.ok(error.message.length < 2_000, error.message);
            return true;
          },
          `${spec.path.join(' ')}: ${option.name} of ${length} characters`,
        );
      }
    }
  }
});

test('what is just as long as it may be is taken', () => {
  for (const { spec, option } of options.filter(
    (one) => one.option.kind === 'text' && one.option.choices === undefined,
  )) {
    const value = 'x'.repeat(maxCharsOf(option));
    for (const one of given(spec, option, value)) assert.equal(parseCommand(commands, one).values[option.name], value);
  }
});

test('the sentence says how long it is and how long it may be', () => {
  assert.throws(() => parseCommand(commands, { line: `memory search ${'rose '.repeat(200)}` }), {
    message: 'words is too long: 999 characters, and at most 500 are taken',
  });
});
