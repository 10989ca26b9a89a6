import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCommand, suggest } from '../../adapters/web/page/completion.ts';
import { toDollars, toShare } from '../../adapters/web/page/numbers.ts';
import { toPeriod } from '../../adapters/web/page/period.ts';
import { sorted, sumBy, sumOf } from '../../adapters/web/page/usage-sums.ts';
import type { UsageRowView } from '../../adapters/web/views.ts';

function row(more: Partial<UsageRowView>): UsageRowView {
  return {
    day: '2026-11-20',
    workspace: 'web/console',
    channel: 'c1',
    channelKey: 'c1',
    channelName: 'general',
    person: 'p1',
    personKey: 'web:p1',
    personName: 'Ann',
    model: 'm',
    kind: 'answer',
    calls: 1,
    prompt: 100,
    cached: 40,
    completion: 10,
    cost: 0.5,
    estimatedCalls: 0,
    ...more,
  };
}

test('usage is added up by what is asked for; two people of one name stay two', () => {
  const rows = [
    row({}),
    row({ kind: 'fold', prompt: 50, completion: 5 }),
    row({ person: 'p2', personKey: 'web:p2', personName: 'Ann', calls: 3 }),
    row({ person: 'p3', personKey: 'web:p3', personName: 'Bob', cost: undefined }),
  ];
  const people = sorted(sumBy(rows, 'person'), 'calls', true);
  assert.deepEqual(
    people.map(({ name, calls, prompt, fold }) => [name, calls, prompt, fold]),
    [
      ['Ann', 3, 100, 0],
      ['Ann', 2, 150, 55],
      ['Bob', 1, 100, 0],
    ],
  );
  assert.deepEqual([people[2]?.cost, people[2]?.unpriced], [0, 1], 'an unknown price is no price');
  assert.equal(sumOf(rows, 'Total').cost, 1.5);
});

test('channels and people are added up by who they are, threads with their channel, whatever they are called', () => {
  const rows = [
    row({ channelKey: 'c1' }),
    row({ channel: 'c1/t', channelKey: 'c1', personName: 'Anna' }),
    row({ channelKey: 'c2', channelName: 'general', workspace: 'w2', personName: 'Anna' }),
  ];
  const callsOf = (grouping: 'channel' | 'person') => sumBy(rows, grouping).map(({ calls }) => calls);
  assert.deepEqual([callsOf('channel'), callsOf('person')], [[2, 1], [3]]);
});

test('periods are whole days, over the ends of months and years', () => {
  assert.deepEqual(toPeriod('7 days', '2026-03-02'), { from: '2026-02-24', to: '2026-03-02' });
  assert.deepEqual(toPeriod('Last month', '2027-01-15'), { from: '2026-12-01', to: '2026-12-31' });
  assert.deepEqual(toPeriod('Last month', '2028-03-31'), { from: '2028-02-01', to: '2028-02-29' });
  assert.deepEqual(toPeriod('This month', '2026-11-21'), { from: '2026-11-01', to: '2026-11-21' });
});

test('a slash begins a command, a path or a fraction does not', () => {
  for (const text of ['/reset', '/role set You are kind', '/RESET now']) assert.ok(isCommand(text), text);
  for (const text of ['/etc/hosts is a file', '/ 2', 'no /reset', '/1', '//x']) assert.ok(!isCommand(text), text);
});

test('commands are suggested by the beginnings of their names, then what their values can be', () => {
  const commands = [
    { name: 'role set', usage: '/role set <text>', help: 'Gives me a role', admin: false },
    { name: 'reset', usage: '/reset', help: 'A fresh memory', admin: false },
    { name: 'usage', usage: '/usage [today]', help: 'What it cost', admin: false },
  ];
  const lines = (typed: string, values: string[] = []) => suggest(typed, commands, values).map(({ line }) => line);
  assert.deepEqual(lines('/'), ['/role set', '/reset', '/usage']);
  assert.deepEqual(lines('/r'), ['/role set', '/reset']);
  assert.deepEqual(lines('/usage ', ['usage today', 'usage week']), ['/usage today', '/usage week', '/usage']);
  assert.deepEqual(lines('/usage week', ['usage week']), ['/usage']);
  assert.deepEqual(lines('/xyz'), []);
  const whole = (typed: string, values: string[]) =>
    suggest(typed, commands, values).map(({ line, whole: isWhole }) => [line, isWhole]);
  assert.deepEqual(
    whole('/usage b', ['usage by ', 'usage before']).slice(0, 2),
    [
      ['/usage by', false],
      ['/usage before', true],
    ],
    'the program ends with a space what more belongs to',
  );
});

test('small sums are not shown as nothing', () => {
  assert.deepEqual([0, 0.00042, 0.0135, 3.1].map(toDollars), ['$0', '$0.00042', '$0.0135', '$3.10']);
  assert.equal(toShare(1, 3), '33.33%');
  assert.equal(toShare(1, 0), '0%');
});
