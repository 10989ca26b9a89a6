import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { liveRanges } from '../../src/conversation/head.ts';
import { loadCounter } from '../../src/conversation/tokens.ts';
import type { Turn } from '../../src/conversation/turn.ts';
import { countMessages, toMessages } from '../../src/conversation/wire.ts';
import type { ChatMessage, ModelRequest } from '../../src/model/model.ts';
import { command, message, room, scriptedModel, startCore, type TestCore } from './core.ts';

/** The invariants of the memory, on the whole core, against everything that people and summarisers may do. */

const budget = 1500;
const env = { MEMORY_TOKENS: String(budget), STORE_URL: 'memory:' };
const counter = await loadCounter('o200k_base');

const wireTokens = async (messages: readonly ChatMessage[]): Promise<number> =>
  (await countMessages(messages, counter)) + 3;
const textOf = (request: ModelRequest): string => JSON.stringify(request.messages);

type Summariser = 'good' | 'empty' | 'long' | 'throws' | 'short' | 'echo' | 'cut';

function summary(kind: Summariser, request: ModelRequest, n: number): { text: string; finish?: 'stop' | 'length' } {
  const input = String(request.messages[1]?.content ?? '');
  switch (kind) {
    case 'good':
      return {
        text: `In this part of the talk (${n}) several people said several things, and agreed to go on talking about them.`,
      };
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

async function allTurns(core: TestCore): Promise<Turn[]> {
  const state = await core.memory.conversations.read(room);
  const turns: Turn[] = [];
  for (const range of liveRanges(state.head, state.view, state.nextSeq)) {
    turns.push(...(await core.memory.conversations.journal.turns(room, range)));
  }
  return turns;
}

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
  assert.ok(String(messages.at(-1)?.content).endsWith(question));
  assert.equal(messages[1]?.role, 'user');
  assert.ok((await wireTokens(messages)) <= budget, `${await wireTokens(messages)} tokens`);
  const text = textOf(request);
  for (const word of gone) assert.ok(!text.includes(word), `${word} was taken back`);
}

test('whatever people and summarisers do, every prompt is whole and within its budget, and nothing is lost or kept against their will', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyAction, { minLength: 10, maxLength: 80, size: 'max' }), async (actions) => {
      let kind: Summariser = 'good';
      const model = scriptedModel((request, n) =>
        request.purpose === 'fold' ? summary(kind, request, n) : `Reply ${n} with a few words`,
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
              const system = String(request.messages[0]?.content);
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
        const state = await core.memory.conversations.read(room);
        const folds = await core.memory.folds.texts(state.view.folds);
        for (const fold of folds) assert.ok(fold.tokens <= 400, 'a fold is no longer than it may be');
      } finally {
        await core.stop();
      }
    }),
    // Shrinking a long life would take minutes: the seed that is printed repeats it.
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 25), endOnFailure: true },
  );
});
