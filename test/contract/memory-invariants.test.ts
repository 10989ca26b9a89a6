import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countMessages, foldMessage, toMessages } from '../../src/conversation/wire.ts';
import type { ModelRequest } from '../../src/model/model.ts';
import { runs } from '../unit/property-runs.ts';
import { command, message, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { allTurns, contentOf, counter, keepMarks, textOf, wireTokens } from './memory-talk.ts';

/** The invariants of the memory, on the whole core, against everything that people and summarisers may do. */

const budget = 1500;
const env = { MEMORY_TOKENS: String(budget), STORE_URL: 'memory:' };
const frame = await countMessages([foldMessage('')], counter);

type Summariser = 'good' | 'empty' | 'long' | 'throws' | 'short' | 'echo' | 'cut';

function summary(kind: Summariser, request: ModelRequest): { text: string; finish?: 'stop' | 'length' } {
  const input = contentOf(request.messages[1]);
  switch (kind) {
    case 'good':
      // Also of what is later taken back: then it must go from the summaries too.
      return { text: keepMarks(request) };
    case 'empty':
      return { text: '' };
    case 'long':
      return { text: 'They said this and that, and then they said it again. '.repeat(60) };
    case 'throws':
      throw new Error('the summariser is down');
    case 'short':
      return { text: 'No.' };
    case 'echo':
      return { text: input };
    case 'cut':
      return { text: 'They said that', finish: 'length' };
  }
}

type Action =
  | { do: 'say'; words: number; who: string }
  | { do: 'edit' | 'delete'; which: number }
  | { do: 'reset' | 'undo' }
  | { do: 'summariser'; kind: Summariser }
  | { do: 'forget'; count: number };

const anyAction: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      words: fc.integer({ min: 10, max: 150 }),
      who: fc.constantFrom('Ann', 'Bob', 'Cyd'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('edit' as const, 'delete' as const), which: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('reset' as const, 'undo' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('summariser' as const),
      kind: fc.constantFrom<Summariser>('good', 'empty', 'long', 'throws', 'short', 'echo', 'cut'),
    }),
  },
);

/** Stored counts are what would be counted now, and the sum kept in memory is their sum. */
async function checkCounts(core: TestCore): Promise<void> {
  const state = await core.memory.conversations.read(room);
  const fresh = await core.memory.conversations.journal.load(room, undefined);
  assert.equal(state.rawTokens, fresh.rawTokens);
  assert.deepEqual(state.tail, fresh.tail);
  assert.equal(state.nextSeq, fresh.nextSeq);
  for (const turn of await allTurns(core)) {
    if (turn.erased === undefined) assert.equal(turn.tokens, await countMessages(toMessages(turn), counter));
  }
}

async function checkPrompt(request: ModelRequest, question: string, gone: ReadonlySet<string>): Promise<void> {
  const { messages } = request;
  const system = messages.filter((one) => one.role === 'system');
  assert.equal(system.length, 1);
  assert.equal(messages[0], system[0]);
  assert.ok(contentOf(messages.at(-1)).endsWith(question));
  assert.equal(messages[1]?.role, 'user');
  const text = textOf(request);
  for (const word of gone) assert.ok(!text.includes(word), `${word} was taken back`);
}

/** A fold is no longer than it may be, they do not overlap, and none knows what was taken back. */
async function checkFolds(core: TestCore, gone: ReadonlySet<string>): Promise<void> {
  const { perFold } = await core.memory.limits(room, await core.memory.profiles.of(room), false);
  const { view } = await core.memory.conversations.read(room);
  for (const [n, fold] of view.folds.entries()) {
    assert.ok(fold.tokens <= perFold + frame, `${fold.tokens} tokens`);
    assert.ok(n === 0 || fold.from > (view.folds[n - 1]?.to ?? -1));
  }
  for (const { fold } of await core.memory.folds.all(room)) {
    for (const word of gone) assert.ok(!fold.text.includes(word), `${word} is in a stored fold`);
  }
}

test('whatever people and summarisers do, every prompt is whole and within its budget, and nothing is lost or kept against their will', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyAction, { minLength: 10, maxLength: 80, size: 'max' }), async (actions) => {
      let kind: Summariser = 'good';
      const model = scriptedModel((request, n) =>
        request.purpose === 'fold' ? summary(kind, request) : `Reply ${n} with a few words`,
      );
      const core = await startCore({ model, env });
      const said: { n: number; mark: string; live: boolean; words: number }[] = [];
      const gone = new Set<string>();
      const putAway: (typeof said)[] = [];
      let now: typeof said = [];
      let previous: { system: string } | undefined;
      try {
        for (const [n, action] of actions.entries()) {
          switch (action.do) {
            case 'say': {
              const mark = `mark${n}x`;
              const text = `${mark} ${'word '.repeat(action.words)}`.trim();
              await core.send(
                message(n, text, { author: { id: action.who, name: action.who, admin: false, roles: [] } }),
              );
              const one = { n, mark, live: true, words: action.words };
              said.push(one);
              now.push(one);
              const request = model.answers().at(-1);
              assert.ok(request);
              await checkPrompt(request, text, gone);
              const system = contentOf(request.messages[0]);
              if (previous !== undefined) assert.equal(system, previous.system);
              previous = { system };
              for (const away of putAway.flat()) assert.ok(!textOf(request).includes(away.mark), 'a reset put it away');
              break;
            }
            case 'edit': {
              const one = said[action.which % Math.max(1, said.length)];
              if (one === undefined || !one.live) break;
              gone.add(one.mark);
              one.mark = `edit${n}x`;
              await core.send({
                kind: 'edit',
                id: `e${n}`,
                channel: room,
                at: n,
                messageId: `m${one.n}`,
                text: `${one.mark} anew`,
                origin: {},
              });
              break;
            }
            case 'delete': {
              const one = said[action.which % Math.max(1, said.length)];
              if (one === undefined || !one.live) break;
              gone.add(one.mark);
              one.live = false;
              await core.send({
                kind: 'delete',
                id: `e${n}`,
                channel: room,
                at: n,
                messageIds: [`m${one.n}`],
                origin: {},
              });
              break;
            }
            case 'reset':
              await core.send(command(n, 'reset'));
              putAway.push(now);
              now = [];
              break;
            case 'undo': {
              await core.send(command(n, 'undo'));
              now = [...(putAway.pop() ?? []), ...now];
              break;
            }
            case 'forget': {
              await core.send(command(n, `forget last ${action.count} confirm`));
              for (const one of now.filter((each) => each.live).slice(-action.count)) {
                one.live = false;
                gone.add(one.mark);
              }
              break;
            }
            case 'summariser':
              kind = action.kind;
              break;
          }
          await checkCounts(core);
        }
        const kept = (await allTurns(core)).filter((turn) => turn.role === 'user' && turn.erased === undefined);
        assert.deepEqual(
          kept.map((turn) => turn.text.split(' ')[0]),
          now.filter((one) => one.live).map((one) => one.mark),
        );
        for (const request of model.requests) {
          const tokens = await wireTokens(request);
          assert.ok(tokens <= budget, `${tokens} tokens in a request for the ${request.purpose}`);
        }
        await checkFolds(core, gone);
      } finally {
        await core.stop();
      }
    }),
    // Shrinking a long life would take minutes: the seed that is printed repeats it.
    { ...runs(25), endOnFailure: true },
  );
});
