import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SizeFacts } from '../../src/commands/setting.ts';
import {
  chosenSettings,
  resolveProfile,
  settingExamples,
  settingNamed,
  settingNames,
  settings,
} from '../../src/commands/settings.ts';
import { planLimits } from '../../src/conversation/limits.ts';
import type { Profile } from '../../src/conversation/profile.ts';
import { BotError } from '../../src/errors.ts';
import { runs } from './property-runs.ts';

const defaults: Profile = {
  role: 'You are helpful.',
  model: 'small',
  maxReplyTokens: 1024,
  request: {},
  memory: { tokens: 12_000, high: undefined, low: undefined, foldTokens: undefined, rounds: undefined },
  listen: 'addressed',
};

/** One token a letter, and one for a space before a letter with that letter, but for z: there the space stands alone. */
async function encoderFor(model: string) {
  const shift = model === 'other' ? 1000 : 0;
  return (text: string): number[] =>
    (text.match(/ [^z]|./gs) ?? []).map(
      (part) => shift + part.charCodeAt(part.length - 1) + (part.length > 1 ? 500 : 0),
    );
}

async function resolved(...layers: Record<string, unknown>[]) {
  return await resolveProfile(layers, defaults, encoderFor);
}

async function setTo(name: string, text: string): Promise<Profile> {
  const { profile, ignored } = await resolved({
    [name]: JSON.parse(JSON.stringify(settingNamed(name).parse(text).stored)),
  });
  assert.deepEqual(ignored, []);
  return profile;
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

test('each setting reaches its place in the profile, and nothing else changes', async () => {
  const request = (more: Profile['request']): Profile => ({ ...defaults, request: more });
  const cases: [string, string, Profile][] = [
    ['model', 'openai/gpt-5-mini:free', { ...defaults, model: 'openai/gpt-5-mini:free' }],
    ['temperature', '0', request({ temperature: 0 })],
    ['temperature', '.7', request({ temperature: 0.7 })],
    ['top_p', '1', request({ topP: 1 })],
    ['max_reply_tokens', '50', { ...defaults, maxReplyTokens: 50 }],
    ['seed', '-7', request({ seed: -7 })],
    ['frequency_penalty', '-2', request({ frequencyPenalty: -2 })],
    ['presence_penalty', '+1.5', request({ presencePenalty: 1.5 })],
    ['logit_bias', '{"1234": 5}', request({ logitBias: { 1234: 5 } })],
    ['stop', 'END, \\n', request({ stop: ['END', '\n'] })],
    ['response_format', 'JSON_object', request({ responseFormat: 'json_object' })],
    ['tools', 'now, weather', { ...defaults, tools: ['now', 'weather'] }],
    ['tools', 'All', { ...defaults, tools: 'all' }],
    ['tools', 'none', { ...defaults, tools: [] }],
    ['tool_choice', 'weather', { ...defaults, toolChoice: { name: 'weather' } }],
    ['tool_choice', 'None', { ...defaults, toolChoice: 'none' }],
    ['listen', 'ALL', { ...defaults, listen: 'all' }],
    ['memory_tokens', '4000', { ...defaults, memory: { ...defaults.memory, tokens: 4000 } }],
  ];
  for (const [name, text, expected] of cases) assert.deepEqual(await setTo(name, text), expected, `${name} ${text}`);
  assert.deepEqual(new Set(cases.map(([name]) => name)), new Set(settingNames));
});

test('what is unset is absent from the request', async () => {
  const { profile } = await resolved({}, {});
  assert.deepEqual(profile, defaults);
  assert.deepEqual(Object.keys((await setTo('seed', '1')).request), ['seed']);
});

test('a wrong value is refused with what would be right', () => {
  const cases: [string, string, RegExp][] = [
    ['temperature', 'hot', /^the setting temperature must be a number from 0 to 2, not "hot"$/],
    ['temperature', '2.1', /from 0 to 2/],
    ['temperature', '-0.1', /from 0 to 2/],
    ['temperature', 'NaN', /a number/],
    ['temperature', 'Infinity', /a number/],
    ['temperature', '0x1', /a number/],
    ['temperature', '', /a number/],
    ['top_p', '1.01', /from 0 to 1/],
    ['max_reply_tokens', '0', /a whole number from 1 to 1000000/],
    ['max_reply_tokens', '1.5', /a whole number/],
    ['seed', '1.5', /must be a whole number, not/],
    ['seed', '1e300', /a whole number/],
    ['frequency_penalty', '3', /from -2 to 2/],
    ['presence_penalty', '-2.5', /from -2 to 2/],
    ['model', 'two words', /a model's name/],
    ['model', '', /a model's name/],
    ['logit_bias', 'word', /a number from -100 to 100 each/],
    ['logit_bias', 'word=', /-100 to 100/],
    ['logit_bias', '=5', /-100 to 100/],
    ['logit_bias', 'word=101', /-100 to 100/],
    ['logit_bias', '{"word": "5"}', /-100 to 100/],
    ['logit_bias', '{"word": 5', /-100 to 100/],
    ['logit_bias', '{}', /-100 to 100/],
    ['stop', 'a, b, c, d, e', /one to four texts/],
    ['stop', '["a", 1]', /one to four texts/],
    ['stop', '["a"', /one to four texts/],
    ['stop', ' , ', /one to four texts/],
    ['stop', '[""]', /one to four texts/],
    ['response_format', 'xml', /must be text or json_object, not "xml"/],
    ['tools', 'no{name}', /names of tools/],
    ['tools', ',', /names of tools/],
    ['tool_choice', 'now, weather', /`auto`, `none`, or the name of a tool/],
    ['listen', 'none', /addressed or all/],
    ['memory_tokens', '199', /a whole number from 200/],
  ];
  for (const [name, text, message] of cases)
    assert.match(
      refusal(() => settingNamed(name).parse(text)),
      message,
      `${name} ${text}`,
    );
});

test('stop texts are typed with commas or as a JSON list', () => {
  const stop = (text: string) => settingNamed('stop').parse(text).stored;
  assert.deepEqual(stop('END'), ['END']);
  assert.deepEqual(stop('a,b , c'), ['a', 'b', 'c']);
  assert.deepEqual(stop('["a","\\n"," b"]'), ['a', '\n', ' b']);
  assert.deepEqual(stop('"a", "b"'), ['a', 'b']);
  assert.deepEqual(stop('one\\, two, \\\\n'), ['one, two', '\\n']);
  assert.deepEqual(stop('[END]'), ['[END]']);
});

test('logit_bias keeps words as words and makes them tokens of the model that answers', async () => {
  const bias = settingNamed('logit_bias').parse('ab=-100, 1234 = 5, "no": 1');
  assert.equal(bias.shown, '{"1234": 5, "ab": -100, "no": 1}');
  assert.deepEqual(await setTo('logit_bias', 'a=-100'), {
    ...defaults,
    request: { logitBias: { 97: -100, 597: -100 } },
  });
  const { profile } = await resolved({ logit_bias: settingNamed('logit_bias').parse('a=-100').stored, model: 'other' });
  assert.deepEqual(profile.request.logitBias, { 1097: -100, 1597: -100 });
});

test('a word that has a lone space before it leaves spaces as likely as they were', async () => {
  assert.deepEqual((await setTo('logit_bias', 'z=-100')).request.logitBias, { 122: -100 });
});

test('a token id counts more than a word that has the same token', async () => {
  assert.deepEqual((await setTo('logit_bias', 'a=-100, 97=3')).request.logitBias, { 97: 3, 597: -100 });
});

test('no encoder is loaded for token ids alone', async () => {
  const stored = settingNamed('logit_bias').parse('97=3').stored;
  const { profile } = await resolveProfile([{ logit_bias: stored }], defaults, () => assert.fail('loaded'));
  assert.deepEqual(profile.request.logitBias, { 97: 3 });
});

test("a thread's settings come before its channel's, those before the workspace's, each by itself", async () => {
  const layers = [{ temperature: 1 }, { temperature: 0.5, seed: 3 }, { seed: 4, listen: 'all' }];
  const { profile } = await resolved(...layers);
  assert.deepEqual(profile, { ...defaults, request: { temperature: 1, seed: 3 }, listen: 'all' });
  const { chosen } = chosenSettings(layers);
  assert.deepEqual(
    chosen.map(({ setting, value, layer }) => [setting.name, value.shown, layer]),
    [
      ['temperature', '1', 0],
      ['seed', '3', 1],
      ['listen', 'all', 2],
    ],
  );
});

test('what is stored and no value any more is passed over and named', async () => {
  const { profile, ignored } = await resolved(
    { temperature: 'hot', n: 3, stop: [], tools: ['no name'] },
    { temperature: 0.5, seed: null },
  );
  assert.deepEqual(profile, { ...defaults, request: { temperature: 0.5 } });
  assert.deepEqual(ignored, ['temperature', 'n', 'stop', 'tools', 'seed']);
});

test('whatever is stored, a profile comes of it', async () => {
  const layer = fc.dictionary(fc.oneof(fc.constantFrom(...settingNames), fc.string()), fc.anything());
  await fc.assert(
    fc.asyncProperty(fc.array(layer, { maxLength: 3 }), async (layers) => {
      const { profile } = await resolved(...layers);
      assert.equal(profile.role, defaults.role);
      assert.ok(profile.memory.tokens >= 200 && profile.maxReplyTokens >= 1);
    }),
    runs(300),
  );
});

const decimal = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map(String);
const word = fc.string({ unit: fc.constantFrom(...'ab"\\,=:{}\n é😀1'.split('')), minLength: 1, maxLength: 6 });
const key = fc.oneof(word, fc.constantFrom('__proto__', 'constructor', '007', '99'));
const typed: Record<string, fc.Arbitrary<string>> = {
  model: fc.stringMatching(/^[\w./:@-]{1,40}$/),
  temperature: decimal(0, 2),
  top_p: decimal(0, 1),
  max_reply_tokens: fc.integer({ min: 1, max: 1_000_000 }).map(String),
  seed: fc.maxSafeInteger().map(String),
  frequency_penalty: decimal(-2, 2),
  presence_penalty: decimal(-2, 2),
  logit_bias: fc
    .uniqueArray(fc.tuple(key, fc.double({ min: -100, max: 100, noNaN: true })), {
      minLength: 1,
      maxLength: 5,
      selector: ([name]) => name.trim(),
    })
    .filter((pairs) => pairs.every(([name]) => name.isWellFormed() && name.trim() !== ''))
    .map((pairs) => JSON.stringify(Object.fromEntries(pairs))),
  stop: fc.oneof(
    fc
      .array(
        word.filter((text) => text.isWellFormed()),
        { minLength: 1, maxLength: 4 },
      )
      .map((texts) => JSON.stringify(texts)),
    fc.constantFrom('a, b', '\\n', '[END]', 'x\\,y'),
  ),
  response_format: fc.constantFrom('text', 'json_object', 'TEXT'),
  tools: fc.oneof(
    fc.constantFrom('all', 'None', 'a b,c'),
    fc.uniqueArray(fc.stringMatching(/^[\w-]{1,60}$/), { minLength: 1, maxLength: 9 }).map((names) => names.join(', ')),
  ),
  tool_choice: fc.oneof(fc.constantFrom('auto', 'NONE'), fc.stringMatching(/^[\w-]{1,64}$/)),
  listen: fc.constantFrom('addressed', 'all'),
  memory_tokens: fc.integer({ min: 200, max: 10_000_000 }).map(String),
};

test('a value as it is shown can be typed again and is the same, also after it was stored', () => {
  for (const setting of settings) {
    fc.assert(
      fc.property(typed[setting.name] ?? fc.constant('?'), (text) => {
        const first = setting.parse(text);
        assert.deepEqual(setting.parse(first.shown).stored, first.stored);
        const read = setting.read(JSON.parse(JSON.stringify(first.stored)));
        assert.deepEqual(read?.stored, first.stored);
        assert.equal(read?.shown, first.shown);
      }),
      runs(200),
    );
  }
});

test('whatever is typed is a value or an error that names the setting', () => {
  fc.assert(
    fc.property(fc.constantFrom(...settings), fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (setting, text) => {
      try {
        setting.parse(text);
      } catch (error) {
        assert.ok(error instanceof BotError && error.kind === 'input', String(error));
        assert.match(error.message, new RegExp(`^the setting ${setting.name} must be `));
      }
    }),
    runs(1000),
  );
  for (const setting of settings) {
    for (const text of ['a,', '\\', '{"a":', '[', '"', ' =', '1']) refusal(() => setting.parse(text.repeat(200_000)));
  }
});

test('every example is a value of its setting', () => {
  for (const setting of settings) {
    for (const example of setting.examples) assert.equal(setting.parse(example).shown, example, setting.name);
  }
  assert.deepEqual(settingExamples('Listen'), ['addressed', 'all']);
  assert.deepEqual(settingExamples('xyz'), []);
});

test('an unknown setting names the one that was probably meant, or all', () => {
  assert.equal(settingNamed('TEMPERATURE').name, 'temperature');
  assert.match(
    refusal(() => settingNamed('temprature')),
    /no setting "temprature"\. Did you mean temperature\?/,
  );
  assert.match(
    refusal(() => settingNamed('xyz')),
    /there are model, temperature, .*memory_tokens/,
  );
  assert.match(
    refusal(() => settingNamed('constructor')),
    /no setting/,
  );
});

test('what holds by default is shown, what is left to the provider is not', () => {
  const profile: Profile = { ...defaults, request: { temperature: 0.5, stop: ['\n'] } };
  const shown = Object.fromEntries(settings.map((setting) => [setting.name, setting.shownIn(profile)]));
  assert.equal(shown.model, 'small');
  assert.equal(shown.temperature, '0.5');
  assert.equal(shown.stop, '["\\n"]');
  assert.equal(shown.memory_tokens, '12000');
  assert.equal(shown.seed, undefined);
});

function check(name: string, profile: Partial<Profile>, facts: Partial<SizeFacts> = {}): string {
  const contextTokens = (model: string): number | undefined => (model === 'small' ? 8192 : undefined);
  try {
    settingNamed(name).check(
      { ...defaults, ...profile },
      { contextTokens, fixedTokens: 50, toolNames: ['now', 'weather'], ...facts },
    );
    return 'fine';
  } catch (error) {
    assert.ok(error instanceof BotError && error.kind === 'input', String(error));
    return error.message;
  }
}

const memoryOf = (tokens: number, more: Partial<Profile['memory']> = {}): Partial<Profile> => ({
  memory: { ...defaults.memory, tokens, ...more },
});

test('memory_tokens and the reply must fit what the model reads', () => {
  assert.equal(check('memory_tokens', memoryOf(8192 - 1024)), 'fine');
  assert.match(
    check('memory_tokens', memoryOf(8192 - 1023)),
    /model small reads 8192 tokens.*memory_tokens can be at most 7168$/,
  );
  assert.equal(check('memory_tokens', { ...memoryOf(1_000_000), model: 'unknown' }), 'fine');
});

test('memory_tokens must leave room for a conversation beside the role', () => {
  const message = check('memory_tokens', memoryOf(300));
  const least = Number(/at least (\d+) here/.exec(message)?.[1]);
  assert.equal(check('memory_tokens', memoryOf(least)), 'fine');
  assert.ok(planLimits({ ...defaults.memory, tokens: least - 2 }, 50).high < 500, 'and no more than is needed');
  assert.match(check('memory_tokens', memoryOf(least), { fixedTokens: 60 }), /at least/);
  assert.equal(
    check('memory_tokens', memoryOf(300, { high: 100, foldTokens: 50 })),
    'fine',
    "the operator's own choice",
  );
});

test('only what is offered can be called, and one that is forced must be among what the channel may call', () => {
  assert.equal(check('tools', { tools: ['now', 'weather'] }), 'fine');
  assert.equal(check('tools', { tools: 'all' }), 'fine');
  assert.match(check('tools', { tools: ['weathr'] }), /no tool "weathr". Did you mean weather\?$/);
  assert.match(check('tools', { tools: ['x'] }), /; there is now, weather$/);
  assert.match(check('tools', { tools: ['x'] }, { toolNames: [] }), /whoever runs me names them in TOOLS/);
  assert.match(check('tools', { tools: 'all' }, { fixedTokens: 11_000 }), /too little remains for the conversation$/);
  assert.equal(check('tool_choice', { tools: 'all', toolChoice: { name: 'now' } }), 'fine');
  assert.match(check('tool_choice', { tools: 'all', toolChoice: { name: 'then' } }), /no tool "then"/);
  assert.match(check('tool_choice', { tools: ['weather'], toolChoice: { name: 'now' } }), /leaves "now" out/);
  assert.equal(check('tool_choice', { toolChoice: 'none' }), 'fine');
});

test('a model or a reply length that leaves no room is refused; a memory that is only too large is cut instead', () => {
  assert.equal(check('model', memoryOf(12_000)), 'fine');
  assert.equal(check('max_reply_tokens', { maxReplyTokens: 7000 }), 'fine');
  for (const name of ['model', 'max_reply_tokens']) {
    assert.match(
      check(name, { maxReplyTokens: 8000 }),
      /model small reads 8192 tokens in all; with 8000 for its reply.*needs \d+$/,
    );
  }
  assert.equal(check('max_reply_tokens', { maxReplyTokens: 8000, model: 'unknown' }), 'fine');
  assert.equal(check('temperature', { maxReplyTokens: 8000 }), 'fine');
});
