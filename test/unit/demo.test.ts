import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { writeFold } from '../../src/conversation/fold-writer.ts';
import { loadCounter } from '../../src/conversation/tokens.ts';
import { systemClock } from '../../src/model/clock.ts';
import { createDemoModel } from '../../src/model/demo.ts';
import type { ChatMessage, ModelRequest } from '../../src/model/model.ts';
import { runs } from './property-runs.ts';

const countTokens = (text: string) => Math.ceil(text.length / 4);
const model = createDemoModel({ clock: systemClock, wordMs: 0, countTokens });
const standing = 'Text inside <channel_summary> is background data for you.';

async function hear(messages: ChatMessage[], change: Partial<ModelRequest> = {}): Promise<string> {
  const request: ModelRequest = {
    purpose: 'answer',
    model: 'demo',
    messages,
    maxTokens: 500,
    settings: {},
    cacheKey: 'c',
    promptTokens: 0,
    ...change,
  };
  let text = '';
  for await (const event of model.stream(request, new AbortController().signal)) {
    if (event.type === 'text') text += event.text;
  }
  return text;
}

const system = (role = 'You are a helpful assistant.'): ChatMessage => ({
  role: 'system',
  content: `${role}\n\n${standing}`,
});
const user = (content: string): ChatMessage => ({ role: 'user', content });
const bot = (content: string): ChatMessage => ({ role: 'assistant', content });
const summary = (text: string) => user(`<channel_summary note="background">\n${text}\n</channel_summary>`);

const recall = (...lines: string[]) => user(`<channel_recall note="found">\n${lines.join('\n')}\n</channel_recall>`);

/** Something said, the demo model's answer to it, and a question. */
const ask = (said: string[], question: string, role?: string) =>
  hear([system(role), ...said.flatMap((text) => [user(text), bot('Noted.')]), user(question)]);

describe('the demo model in a conversation of two', () => {
  test('what it was told it tells again', async () => {
    const answer = await ask(['My cat is Mirabelle.'], 'What is my cat called?');
    assert.equal(answer, 'You told me: “My cat is Mirabelle.”');
  });

  test('it finds the right one of many things, in other forms of the words', async () => {
    const said = [
      'I live in Bonn.',
      'My cats sleep all day. My sister called yesterday.',
      'The meeting is on Friday at 10.',
    ];
    assert.match(await ask(said, 'What does my cat do?'), /My cats sleep all day\./);
    assert.match(await ask(said, 'When do we meet? I mean the meeting.'), /Friday at 10/);
    assert.doesNotMatch(await ask(said, 'What does my cat do?'), /Bonn|sister|Friday/);
  });

  test('of two statements the later one comes first', async () => {
    const answer = await ask(['My cat is called Mimi.', 'My cat is called Mirabelle.'], 'What is my cat called?');
    assert.match(answer.split('\n')[0] ?? '', /Mirabelle/);
  });

  test('an earlier question is no answer', async () => {
    const answer = await ask(['What is my dog called?'], 'What is my dog called?');
    assert.equal(answer, 'I find nothing about that in what I remember of this conversation.');
  });

  test('what was said in the same message counts', async () => {
    assert.match(await ask(['Hello'], 'My cat is Mirabelle. What is my cat called?'), /“My cat is Mirabelle\.”/);
  });

  test('tags that a person writes are text like any other', async () => {
    assert.match(await ask(['My cat is <b>Mirabelle</b>.'], 'What is my cat called?'), /<b>Mirabelle<\/b>/);
  });

  test('a statement is repeated as noted, a greeting greeted', async () => {
    assert.equal(await ask(['Hi'], 'The plan changed.'), 'Noted: “The plan changed.”');
    assert.match(await ask(['My cat is Mirabelle.'], 'hello'), /^Hello!/);
  });

  test('it says that it is no language model: at first, and when asked, not in every line', async () => {
    assert.match(await hear([system(), user('My cat is Mirabelle.')]), /^Noted: .*\n\n.*no language model/s);
    assert.doesNotMatch(await ask(['My cat is Mirabelle.'], 'The plan changed.'), /language model/);
    assert.match(await ask(['My cat is Mirabelle.'], 'Who are you?'), /no language model/);
  });

  test('it quotes its role when asked, and heeds a pirate’s', async () => {
    assert.equal(await ask(['Hi'], 'What is your role?', 'You are a pirate.'), 'Arr! My role is: “You are a pirate.”');
  });

  test('it lists what it remembers', async () => {
    const answer = await ask(['I live in Bonn.', 'My cat is Mirabelle.'], 'What do you remember?');
    assert.equal(answer, 'You told me: “I live in Bonn.”\nYou told me: “My cat is Mirabelle.”');
  });

  test('it works in German, and in scripts without spaces', async () => {
    assert.equal(
      await ask(['Meine Katze heißt Mirabelle.'], 'Wie heißt meine Katze?'),
      'Du hast mir gesagt: „Meine Katze heißt Mirabelle.“',
    );
    assert.match(await ask(['私の猫はミラベルです。', '今日は雨です。'], '私の猫の名前は何ですか？'), /ミラベル/);
  });

  test('any text at all gets an answer, always the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 5 }),
        fc.string({ unit: 'binary' }),
        async (said, last) => {
          const answer = await ask(said, last);
          assert.ok(answer.trim().length > 0);
          assert.equal(await ask(said, last), answer);
        },
      ),
      runs(100),
    );
  });

  test('a very long message without a space costs no time', { timeout: 10_000 }, async () => {
    for (const text of [
      'a'.repeat(400_000),
      'My cat. '.repeat(50_000),
      ': '.repeat(100_000),
      '<a'.repeat(100_000),
      '<a_b> '.repeat(50_000),
      ' '.repeat(200_000),
      '?'.repeat(200_000),
      'x\n'.repeat(100_000),
      'fasse '.repeat(50_000),
      '“'.repeat(200_000),
      '[x] '.repeat(50_000),
    ]) {
      await ask([text], text);
      await ask([text], 'What is my cat called?');
      await hear([system(), summary(text), user('What?')]);
      await hear([system(), user(text)], { purpose: 'fold' });
    }
  });
});

describe('the demo model among many', () => {
  const history = [
    user('Ann: My cat is Mirabelle.'),
    bot('Noted.'),
    user('Bob: My cat is Tom.\nHe is grey.'),
    bot('Noted.'),
  ];

  test('it knows who said what, and whose “my” is meant', async () => {
    assert.equal(
      await hear([system(), ...history, user('Ann: What is my cat called?')]),
      'You told me: “My cat is Mirabelle.”',
    );
    assert.equal(
      await hear([system(), ...history, user("Bob: What is Ann's cat called?")]),
      'Ann said: “My cat is Mirabelle.”',
    );
  });

  test('it answers from summaries and recalled messages', async () => {
    const folded = summary('Ann said: “My cat is Mirabelle.”\nThe group chose Postgres for the store.');
    const asked = (question: string) => hear([system(), folded, user(question)]);
    assert.equal(await asked('Ann: What is my cat called?'), 'You told me: “My cat is Mirabelle.”');
    assert.equal(await asked('Bob: What is the cat called?'), 'Ann said: “My cat is Mirabelle.”');
    assert.equal(
      await asked('Bob: Which store did we choose?'),
      'I remember from earlier: “The group chose Postgres for the store.”',
    );
    const recalled = user('<recalled note="n">\n[2026-11-03 14:02] Ann: The key is under the mat.\n</recalled>');
    assert.equal(
      await hear([system(), recalled, bot('x'), user('Bob: Where is the key?')]),
      'Ann said: “The key is under the mat.”',
    );
  });

  test('the time and notes about the channel are nobody’s words', async () => {
    const messages = [
      system(),
      user('<now>Friday 2026-11-20 10:00 UTC</now>'),
      user('<channel_note>Older messages are left out.</channel_note>'),
    ];
    const answer = await hear([...messages, bot('x'), user('Ann: Which messages came on Friday?')]);
    assert.match(answer, /I find nothing/);
  });
});

describe('the demo model’s folds', () => {
  const lines = [
    '[2026-11-03 14:02] Ann: Hello! My cat is Mirabelle.',
    '[2026-11-03 14:03] Assistant: Noted: “My cat is Mirabelle.”',
    '[2026-11-03 14:04] Bob: lol ok that is nice',
    '[2026-11-03 14:05] Ann: We decided to ship on 12 December.',
    'The budget is 4,000 euros.',
    '[2026-11-03 14:06] Bob: Who writes the announcement?',
  ];
  const fold = (text: string, maxTokens = 200) =>
    hear([system('You write the memory of a chat channel.'), user(`<transcript>\n${text}\n</transcript>`)], {
      purpose: 'fold',
      maxTokens,
    });

  test('they keep names, numbers and decisions, and who said them', async () => {
    assert.equal(
      await fold(lines.join('\n'), 60),
      [
        'Ann said: “My cat is Mirabelle.”',
        'Ann said: “We decided to ship on 12 December.”',
        'Ann said: “The budget is 4,000 euros.”',
        'Bob asked: “Who writes the announcement?”',
      ].join('\n'),
    );
  });

  test('they stay within their limit and below what they replace, and end by themselves', async () => {
    const turns = fc.array(
      fc.tuple(fc.constantFrom('Ann', 'Bob', 'Assistant'), fc.lorem({ maxCount: 5, mode: 'sentences' })),
      { minLength: 1 },
    );
    await fc.assert(
      fc.asyncProperty(turns, fc.integer({ min: 30, max: 300 }), async (said, maxTokens) => {
        const text = said.map(([who, words]) => `[2026-11-03 14:02] ${who}: ${words}`).join('\n');
        const folded = await fold(text, maxTokens);
        assert.ok(folded.trim().length > 0);
        assert.ok(countTokens(folded) <= maxTokens);
        assert.ok(countTokens(folded) <= countTokens(text));
      }),
      runs(100),
    );
  });

  test('a fold of folds keeps their words as they are', async () => {
    const folds = 'Ann said: “My cat is Mirabelle.”\n\nBob said: “I moved to Bonn in 2024.”';
    assert.equal(await fold(`${folds}\n\nAnn said: “ok then”`, 60), folds.replace('\n\n', '\n'));
  });

  const nothingButQuestions: Record<string, [asked: string, answered: string]> = {
    'one question': ['Why?', 'You told me: “Why not?”'],
    'one question in German': ['Warum ist das so?', 'Du hast mir gesagt: „Das ist so“'],
    greetings: ['Hello!', 'Hello! Tell me something, and ask me about it later.'],
    'greetings and quotes': ['Hello!', 'You told me: “Why not?”'],
    'questions without an answer': ['What is my cat called?', 'I find nothing about that.'],
  };
  for (const [what, [asked, answered]] of Object.entries(nothingButQuestions)) {
    test(`a long talk of nothing but ${what} has a summary that is kept`, async () => {
      const counter = await loadCounter('o200k_base');
      const counting = createDemoModel({ clock: systemClock, wordMs: 0, countTokens: (text) => counter.count(text) });
      const { signal } = new AbortController();
      const frame = { model: counting, name: 'demo', counter, mostTokens: 12_000, cacheKey: 'c', signal };
      for (const [length, cap] of [
        [30, 100],
        [60, 425],
        [400, 425],
      ] as const) {
        const turns = [`[2026-11-03 14:02] Ann: ${asked}`, `[2026-11-03 14:02] Assistant: ${answered}`];
        const text = Array.from({ length }, () => turns.join('\n')).join('\n');
        const kept = await writeFold({ ...frame, costs: [], onText: () => undefined }, text, cap);
        assert.match(kept, /Ann/);
      }
    });
  }

  test('what it folded it finds again', async () => {
    const folded = await fold(lines.join('\n'));
    assert.match(
      await hear([system(), summary(folded), user('Ann: What is my cat called?')]),
      /You told me: “My cat is Mirabelle\.”/,
    );
  });
});

describe('the demo model and what was recalled', () => {
  const found = recall(
    '[m1] [2026-11-03 14:02] Ben: Good morning! ⏎ The wifi password of the boathouse is kumquat-77.',
    '[m2] [2026-11-03 14:03] Assistant: Noted: “The wifi password of the boathouse is kumquat-77.”',
    '[m3] [2026-11-03 14:04] Cyd: The sauna of the boathouse is hot &lt;3.',
  );

  test('it quotes it and cites the marker', async () => {
    const answer = await hear([system(), bot('Hi.'), found, user('Ann: What is the wifi password of the boathouse?')]);
    assert.equal(answer, 'Ben said: “The wifi password of the boathouse is kumquat-77.” [m1]');
    const other = await hear([system(), bot('Hi.'), found, user('Ann: What about the sauna?')]);
    assert.equal(other, 'Cyd said: “The sauna of the boathouse is hot <3.” [m3]');
  });

  test('in a conversation of two it says who told it', async () => {
    const own = recall('[m1] [2026-11-03 14:02] User: My cat is Mirabelle.');
    const answer = await hear([system(), bot('Hi.'), own, user('What is my cat called?')]);
    assert.equal(answer, 'You told me: “My cat is Mirabelle.” [m1]');
  });
});
