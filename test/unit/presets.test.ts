import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { parsePreset, withPreset } from '../../src/commands/preset.ts';
import { createPresets } from '../../src/commands/presets.ts';
import { createLog } from '../../src/log.ts';

const file = (header: string, body = 'You are a bee.') => `---\n${header}\n---\n${body}\n`;
const bee = file('name: bee\ndescription: hums');

test('a file gives a role its name, its description, settings, tools and examples', () => {
  const preset = parsePreset(
    file(
      'name: bee\ndescription: hums\nsettings:\n  temperature: 0.5\n  stop: ["END"]\n  max_reply_tokens: "200"\ntools: [current_time]\nexamples:\n  - user: hi\n    assistant: |-\n      bzz\n      bzz',
      '\nYou are a bee.\n\nHum.\n',
    ),
  );
  assert.deepEqual(preset, {
    name: 'bee',
    description: 'hums',
    role: 'You are a bee.\n\nHum.',
    settings: { temperature: 0.5, stop: ['END'], max_reply_tokens: 200, tools: ['current_time'] },
    examples: [{ user: 'hi', assistant: 'bzz\nbzz' }],
  });
});

test('line ends of other systems, and a mark at the beginning, make no difference', () => {
  assert.deepEqual(parsePreset(`\uFEFF${bee.replaceAll('\n', '\r\n')}`), parsePreset(bee));
});

test('what is wrong with a file is said', () => {
  const cases: [string, RegExp][] = [
    ['You are a bee.', /must begin with a line ---/],
    ['---\nname: bee\n', /must begin with a line ---/],
    [file('name: bee'), /^description/],
    [file('name: A Bee\ndescription: hums'), /^name: must be small letters/],
    [file('name: bee\ndescription: hums\ncolour: yellow'), /colour/],
    [file('name: bee\n  description: : ['), /YAML is broken in line 2/],
    [file('- a\n- b'), /./],
    [file('name: bee\ndescription: hums\nsettings: {temperature: 9}'), /temperature must be a number from 0 to 2/],
    [file('name: bee\ndescription: hums\nsettings: {temprature: 1}'), /Did you mean temperature/],
    [file('name: bee\ndescription: hums\nsettings: {listen: all}'), /listen is not for presets/],
    [file('name: bee\ndescription: hums\ntools: [a]\nsettings: {tools: all}'), /tools stand twice/],
    [file('name: bee\ndescription: hums\ntools: ["no good"]'), /tools/],
    [file('name: bee\ndescription: hums\nexamples: [{user: hi}]'), /^examples.0.assistant/],
    [file('name: bee\ndescription: hums', '   '), /no role below/],
    [file('name: bee\ndescription: hums', 'x'.repeat(16_001)), /longer than/],
    [file(`name: bee\ndescription: hums\na: &a [1,2]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b]`), /YAML is broken/],
  ];
  for (const [content, words] of cases) {
    assert.throws(() => parsePreset(content), { name: 'BotError', message: words }, content.slice(0, 80));
  }
});

const temperate = {
  ...parsePreset(bee),
  settings: { temperature: 1, seed: 2 },
  examples: [{ user: 'a', assistant: 'b' }],
};
const unset = { role: undefined, preset: undefined, settings: {} };

test('a preset brings its role, its examples and its settings', () => {
  const { role, examples, layers } = withPreset([{ ...unset, preset: temperate, settings: { seed: 3 } }, unset]);
  assert.equal(role, 'You are a bee.');
  assert.deepEqual(examples, [{ user: 'a', assistant: 'b' }]);
  assert.deepEqual(layers, [{ seed: 3 }, {}, { temperature: 1, seed: 2 }]);
});

test('what is set for a channel or a workspace wins over what anybody may choose in a thread', () => {
  const { layers } = withPreset([{ ...unset, preset: temperate }, unset, { ...unset, settings: { tools: [] } }]);
  assert.deepEqual(layers.at(-1), temperate.settings);
});

test('where another role holds, nothing is left of a preset', () => {
  const { preset, examples, layers } = withPreset([
    { ...unset, role: 'Own' },
    { ...unset, preset: temperate },
  ]);
  assert.deepEqual({ preset, examples, layers }, { preset: undefined, examples: [], layers: [{}, {}] });
  assert.equal(withPreset([unset, unset]).role, undefined);
});

function open(t: { after(run: () => void): void }) {
  const dir = mkdtempSync(path.join(tmpdir(), 'channelore-roles-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const warnings: { file: string; problem?: string; msg: string }[] = [];
  const destination = { write: (line: string) => warnings.push(JSON.parse(line)) };
  const log = createLog({ level: 'warn', format: 'json', secrets: [], destination });
  let time = 1_000_000;
  const write = (name: string, content: string): void => {
    writeFileSync(path.join(dir, name), content);
    // However fast the test, each change has a time of its own.
    utimesSync(path.join(dir, name), ++time, time);
  };
  return { dir, presets: createPresets({ dir, log }), warnings, write };
}

test('a file that is written, changed or taken away holds at once', async (t) => {
  const { dir, presets, write } = open(t);
  assert.deepEqual(await presets.all(), []);
  write('bee.md', bee);
  write('README.md', 'what these files are');
  write('notes.txt', 'no role');
  mkdirSync(path.join(dir, 'old'));
  assert.equal((await presets.find('bee'))?.role, 'You are a bee.');
  assert.deepEqual(presets.names(), ['bee']);
  write('bee.md', file('name: bee\ndescription: hums', 'You are a wasp.'));
  assert.equal((await presets.find('bee'))?.role, 'You are a wasp.');
  rmSync(path.join(dir, 'bee.md'));
  assert.equal(await presets.find('bee'), undefined);
});

test('a broken file is named once for each change, and takes no other with it', async (t) => {
  const { presets, warnings, write } = open(t);
  write('bee.md', bee);
  write('cow.md', 'moo');
  write('fly.md', `---\nname: fly\ndescription: ${'x'.repeat(300)}\n---\nYou fly.`);
  write('big.md', 'x'.repeat(200_001));
  for (let times = 0; times < 3; times++)
    assert.deepEqual(
      (await presets.all()).map((one) => one.name),
      ['bee'],
    );
  assert.deepEqual(warnings.map((line) => line.file).sort(), ['big.md', 'cow.md', 'fly.md']);
  assert.match(warnings.find((line) => line.file === 'cow.md')?.problem ?? '', /must begin with/);
  write('cow.md', 'moo!');
  await presets.all();
  await presets.all();
  assert.equal(warnings.filter((line) => line.file === 'cow.md').length, 2);
});

test('of two files with one name the first counts, and the second is named', async (t) => {
  const { presets, warnings, write } = open(t);
  write('a.md', bee);
  write('b.md', file('name: bee\ndescription: hums', 'You are another bee.'));
  assert.equal((await presets.find('bee'))?.role, 'You are a bee.');
  await presets.find('bee');
  assert.deepEqual(
    warnings.map(({ file, msg }) => `${file}: ${msg}`),
    ['b.md: another file has the role bee; this one is passed over'],
  );
});

test('without its folder there are no presets, and nothing fails', async (t) => {
  const { dir, presets, warnings } = open(t);
  rmSync(dir, { recursive: true });
  assert.deepEqual(await presets.all(), []);
  assert.deepEqual(await presets.all(), []);
  assert.deepEqual(warnings, []);
});

test('names are known soon after the start, without having been asked for', async (t) => {
  const { dir, write } = open(t);
  write('bee.md', bee);
  const log = createLog({ level: 'silent', format: 'json', secrets: [] });
  const presets = createPresets({ dir, log });
  while (presets.names().length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(presets.names(), ['bee']);
});

test('every role that is shipped can be chosen', async (t) => {
  const { warnings } = open(t);
  const lines: string[] = [];
  const log = createLog({
    level: 'warn',
    format: 'json',
    secrets: [],
    destination: { write: (line) => lines.push(line) },
  });
  const shipped = await createPresets({ dir: path.join(import.meta.dirname, '../../roles'), log }).all();
  assert.deepEqual([...lines, ...warnings], []);
  assert.deepEqual(
    shipped.map((preset) => preset.name),
    [
      'code-reviewer',
      'long-form-writer',
      'meeting-scribe',
      'philosophy-master',
      'sql-analyst',
      'translator',
      'tutor',
      'writing-editor',
    ],
  );
});
