import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { getEncoding } from 'js-tiktoken';
import type { Answer, ChatRequest } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { type Line, newFolder, order, type Program, say, shownOf, startProgram } from './program.ts';

/** What was used, by whom and for what; and that what may be used has an end. */

const isFold = (request: ChatRequest): boolean => /memory of a chat channel/.test(request.messages[0]?.text ?? '');
const by = (name: string, admin = false) => ({ author: { id: `id-${name}`, name, admin } });

function start(env: Record<string, string>): Program {
  return startProgram({ env: { OPENAI_API_KEY: 'k', OPENAI_MODEL: 'gpt-4o', MAX_REPLY_TOKENS: '100', ...env } });
}

async function run(program: Program, text: string, more: object = {}): Promise<string> {
  const line = await program.ending(order(program, text, more));
  assert.equal(line.private, true);
  return line.text ?? '';
}

describe('usage', () => {
  let spent = 0;
  const gate = Promise.withResolvers<void>();

  /** The server's own numbers: 1000 tokens a prompt, of which 200 were cached, 500 a reply. */
  function answer(request: ChatRequest): Answer {
    if (request.last.includes('wait')) return { pieces: ['These are a few words. ', gate.promise, 'And more.'] };
    spent += 1500;
    const usage = { prompt: 1000, cached: 200, completion: 500, reasoning: 100 };
    const text = isFold(request) ? 'They talked about lanterns, and about nothing else that matters.' : 'Fine.';
    return { text, usage, ...(request.model === 'gpt-4o' ? { model: 'gpt-4o-2024-11-20' } : {}) };
  }

  test('a table shows the provider’s numbers: to admins everybody’s, to others their own', async (t) => {
    const server = await startModelServer({ answer });
    const env = { DATA_DIR: newFolder({ after }), OPENAI_BASE_URL: server.url, BUDGET_WORKSPACE_TOKENS: '10000000' };
    let program = start(env);
    t.after(async () => {
      assert.equal(await program.end(), 0);
      await server.close();
    });
    const ask = (text: string, more: object) => program.ending(say(program, text, more));
    const folds = () => server.requests.filter(isFold);
    await run(program, 'settings set model mystery-1', { channel: 'odd' });
    await ask('Hi', { channel: 'calm', ...by('Ann') });
    await ask('Hi', { channel: 'calm', ...by('Ann') });
    await ask('Hi', { channel: 'calm', thread: 't', ...by('Ben') });
    await ask('Hi', { channel: 'odd', ...by('Ben') });

    // In the channel of the last answer: there it comes after it, with what it cost.
    const all = await run(program, 'usage', { channel: 'odd' });
    assert.match(all, /^Usage today \(\d{4}-\d\d-\d\d\), by person\n```\nperson +prompt cache compl\. summ\. +cost\n/);
    assert.match(all, /\nAnn +2\.00k +400 +1\.00k +0% +\$0\.0145\n/);
    assert.match(all, /\nBen +2\.00k +400 +1\.00k +0% +\$0\.0073 \+ unknown\n/);
    assert.match(all, /\ntotal +4\.00k +800 +2\.00k +0% +\$0\.0217 \+ unknown\n```\nPrices as of \d{4}-\d\d-\d\d\./);
    assert.match(all, /\nThis workspace has used 6,000 of its 10,000,000 tokens today: 9,994,000 tokens left until/);
    assert.ok(all.length < 2000);

    const [picture] = (await program.ending(order(program, 'usage', { channel: 'odd' }))).files ?? [];
    assert.deepEqual([picture?.name, picture?.mime, picture?.encoding], ['usage-by-person.png', 'image/png', 'base64']);
    assert.match(Buffer.from(picture?.content ?? '', 'base64').toString('latin1'), /^.PNG/);

    const own = await run(program, 'usage', { channel: 'odd', ...by('Ben') });
    assert.doesNotMatch(own, /Ann/);
    assert.match(own, /by model\n/);
    assert.match(own, /\ngpt-4o-2024\S* +1\.00k .*\$0\.0073\n/);
    assert.match(own, /\nmystery-1 +1\.00k .* unknown\n/);
    assert.match(own, /This is your own usage; admins see everybody's\.$/);

    const channels = await run(program, 'usage month by channel', { channel: 'odd' });
    assert.match(channels, /\ncalm +3\.00k .*\nodd +1\.00k .* unknown\n/);
    assert.match(await run(program, 'usage by model week'), /\ngpt-4o-2024\S* +3\.00k .*\nmystery-1 +1\.00k/);
    assert.match(await run(program, 'usage by day'), /, by day\n```\nday .*\n\d{4}-\d\d-\d\d +4\.00k/);

    await run(program, 'settings set memory_tokens 1000', { channel: 'folds' });
    for (let n = 0; n < 12 && folds().length === 0; n++) {
      await ask(`Story ${n}: ${'a lantern in the harbour, '.repeat(20)}`, { channel: 'folds', ...by('Ann') });
    }
    await program.line((line) => line.channel === 'folds' && line.key === 'folded');
    const kinds = await run(program, 'usage by kind', { channel: 'folds' });
    assert.match(kinds, new RegExp(`\\nsummaries +${folds().length}\\.00k`));
    assert.match(kinds, /\nanswers +\d/);
    assert.ok(kinds.includes(`has used ${spent.toLocaleString('en-US')} of its`), `${spent} in ${kinds}`);

    const before = await run(program, 'usage by kind');
    assert.equal(await program.end(), 0);
    program = start(env);
    assert.equal(await run(program, 'usage by kind'), before, 'a restart changes nothing');

    const id = say(program, 'wait', { channel: 'cut', ...by('Cyd') });
    await program.line((line) => line.id === id && line.type === 'write');
    await run(program, 'stop', { channel: 'cut' });
    await program.ending(id);
    gate.resolve();
    const cut = await run(program, 'usage', { channel: 'cut', ...by('Cyd') });
    assert.match(cut, /\ngpt-4o +~\d+ +0 +~[1-9]\d* +0% +~<?\$0\.000/);
    assert.match(cut, /~: partly counted by me, because the server sent no numbers\./);
  });
});

describe('a budget', () => {
  /** A question says what it will cost: `cost 3000`. */
  function answer(request: ChatRequest): Answer {
    const [, prompt = '10'] = /cost (\d+)/.exec(request.last) ?? [];
    return { text: `Done ${request.n}.`, usage: { prompt: Number(prompt), completion: 0 } };
  }

  const resets = 'The limit \\(BUDGET_[A-Z_]+\\) begins anew on [^.]+ \\(UTC\\)\\. Try again in \\d+ (h|min)\\.';

  test('ends with what is used, the limit and when it begins again; a question refused waits for a retry', async (t) => {
    const server = await startModelServer({ answer });
    const limits = { BUDGET_USER_TOKENS: '5000', BUDGET_CHANNEL_TOKENS: '8000', BUDGET_WORKSPACE_TOKENS: '30000' };
    const env = { DATA_DIR: newFolder({ after }), OPENAI_BASE_URL: server.url };
    let program = start({ ...env, ...limits });
    t.after(async () => {
      assert.equal(await program.end(), 0);
      await server.close();
    });
    const said = new Map<string, string>();
    const ask = async (text: string, more: object): Promise<Line> => {
      const id = say(program, text, { channel: 'one', ...more });
      said.set(text, id);
      return await program.ending(id);
    };
    const warnings = () => program.lines.filter((line) => line.key === 'budget');

    await ask('cost 3900', by('Ann'));
    assert.deepEqual(warnings(), []);
    await ask('cost 1200, and now a warning', by('Ann'));
    await ask('cost 10', by('Ben'));
    const [warning, ...more] = warnings();
    assert.deepEqual(more, []);
    assert.match(
      warning?.text ?? '',
      /^⏳ With this answer, you have used [34],\d{3} of your 5,000 tokens today\. The limit \(BUDGET_USER_TOKENS\) begins anew on .+ \(UTC\)\.$/,
    );
    assert.deepEqual([warning?.private, warning?.id], [true, said.get('cost 1200, and now a warning')]);

    const over = await ask('refused-4711', by('Ann'));
    assert.match(
      over.text ?? '',
      new RegExp(
        `^⚠️ You have used 5,100 of your 5,000 tokens today, and this answer may need \\d+ tokens\\. ${resets}$`,
      ),
    );
    assert.equal(over.private, true);
    assert.match((await ask('x', { ...by('Ann'), channel: 'two' })).text ?? '', /^⚠️ You have used 5,100 of your 5,000/);
    assert.match(await run(program, 'retry', { channel: 'one', ...by('Ann') }), /^⚠️ You have used 5,100/);

    await ask('cost 4000', by('Ben'));
    assert.doesNotMatch(JSON.stringify(server.requests.at(-1)?.body), /refused-4711/);
    for (const more of [by('Cyd'), { ...by('Cyd'), thread: 't' }]) {
      assert.match((await ask('x', more)).text ?? '', /^⚠️ This channel has used 9,110 of its 8,000 tokens today/);
    }
    await ask('cost 30000', { ...by('Dan'), channel: 'two' });
    assert.match(
      (await ask('x', { ...by('Eve'), channel: 'three' })).text ?? '',
      /^⚠️ This workspace has used 39,110 of its 30,000 tokens today/,
    );
    const shown = await run(program, 'usage', { channel: 'one', ...by('Ann') });
    assert.match(shown, /\nYou have used 5,100 of your 5,000 tokens today: 0 tokens left until .+ \(UTC\)\n/);
    assert.match(shown, /\nThis channel has used 9,110 of its 8,000 tokens today/);
    assert.equal(server.requests.length, 5, 'what was refused was never sent');

    assert.equal(await program.end(), 0);
    program = start(env);
    const retry = order(program, 'retry', { channel: 'one', target: said.get('refused-4711'), ...by('Ann') });
    await program.ending(retry);
    assert.match(shownOf(program.lines, { channel: 'one', id: retry }).text, /^Done 6\.$/);
    assert.match(server.requests.at(-1)?.last ?? '', /refused-4711/);
  });

  test('of money refuses what would pass it, and a model whose price nobody knows', async (t) => {
    const server = await startModelServer({ answer });
    const program = start({ STORE_URL: 'memory:', OPENAI_BASE_URL: server.url, BUDGET_WORKSPACE_USD: '0.01' });
    t.after(async () => {
      assert.equal(await program.end(), 0);
      await server.close();
    });
    const ask = (text: string, more: object = {}) => program.ending(say(program, text, more));
    await run(program, 'settings set model mystery-1', { channel: 'odd' });
    assert.equal(
      (await ask('Hi', { channel: 'odd' })).text,
      '⚠️ I do not know the price of mystery-1, so I cannot keep to the limit of money (BUDGET_WORKSPACE_USD). An admin can name the price in PRICES_FILE.',
    );
    await ask('cost 4000');
    assert.match((await ask('x')).text ?? '', /^⚠️ This workspace has used \$0\.0100 of its \$0\.0100 this month/);
    assert.equal(server.requests.length, 1);
  });

  test('is passed by 50 calls at once by no more than their estimates were wrong', async (t) => {
    const encoding = getEncoding('o200k_base');
    const replyTokens = 100;
    const costOf = (request: ChatRequest): number =>
      request.messages.reduce(
        (sum, { role, text }) => sum + 3 + encoding.encode(role).length + encoding.encode(text).length,
        3,
      ) + replyTokens;
    const open = Promise.withResolvers<void>();
    const server = await startModelServer({
      answer: (request) => ({
        pieces: [open.promise, 'Done.'],
        usage: { prompt: costOf(request) - replyTokens, completion: replyTokens },
      }),
    });
    const cap = 4000;
    const program = start({ STORE_URL: 'memory:', OPENAI_BASE_URL: server.url, BUDGET_WORKSPACE_TOKENS: String(cap) });
    t.after(async () => {
      assert.equal(await program.end(), 0);
      await server.close();
    });
    const ids = Array.from({ length: 50 }, (_, n) =>
      say(program, `Question ${n}`, { channel: `room-${n}`, ...by(`p${n}`) }),
    );
    const refused = () => program.lines.filter((line) => line.key === 'outcome');
    // All those that are let through are under way together: none has ended when the last is refused.
    while (refused().length + server.requests.length < 50) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const { text } of refused()) {
      assert.match(
        text ?? '',
        /^⚠️ This workspace has used 0 of its 4,000 tokens today, [\d,]+ tokens more are set aside for other answers/,
      );
    }
    open.resolve();
    await Promise.all(ids.map((id) => program.ending(id)));
    const spent = server.requests.map(costOf);
    const total = spent.reduce((sum, one) => sum + one, 0);
    assert.ok(total <= cap, `${total} of ${cap}`);
    assert.ok(total > cap * 0.85, `no more is refused than must be: ${total} of ${cap}`);
    let shown = '';
    // An answer's cost is held until it is kept, which is after its last word.
    while (shown === '' || shown.includes('held')) shown = await run(program, 'usage');
    assert.match(shown, new RegExp(`has used ${total.toLocaleString('en-US')} of its 4,000`));
  });
});
