import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BotError } from '../../src/errors.ts';
import type { Model, ModelEvent, ModelRequest } from '../../src/model/model.ts';

/** What every model keeps to, whoever answers. */

export interface StartedModel {
  model: Model;
  /** The name to ask for. */
  name: string;
  close(): Promise<void>;
}

export function toRequest(change: Partial<ModelRequest> = {}): ModelRequest {
  return {
    purpose: 'answer',
    model: 'main-model',
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: 'My cat is called Mirabelle, and she sleeps all day long.' },
    ],
    maxTokens: 500,
    settings: {},
    cacheKey: 'channel-hash',
    promptTokens: 30,
    ...change,
  };
}

/** Everything yielded, and what was thrown. */
export async function listen(
  model: Model,
  request: ModelRequest,
  options: { signal?: AbortSignal; onEvent?: (event: ModelEvent) => void } = {},
): Promise<{ events: ModelEvent[]; text: string; error: BotError | undefined }> {
  const events: ModelEvent[] = [];
  let error: BotError | undefined;
  try {
    for await (const event of model.stream(request, options.signal ?? new AbortController().signal)) {
      events.push(event);
      options.onEvent?.(event);
    }
  } catch (thrown) {
    assert.ok(thrown instanceof BotError, `not a BotError: ${String(thrown)}`);
    error = thrown;
  }
  const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
  return { events, text, error };
}

export function modelContract(title: string, start: () => Promise<StartedModel>): void {
  describe(`a model: ${title}`, () => {
    let started: StartedModel;
    before(async () => {
      started = await start();
    });
    after(() => started.close());

    test('an answer comes in pieces and ends with what it cost', async () => {
      const { events, text, error } = await listen(started.model, toRequest({ model: started.name }));
      assert.equal(error, undefined);
      assert.ok(events.filter((event) => event.type === 'text').length > 1);
      assert.match(text, /Mirabelle/);
      const end = events.at(-1);
      assert.ok(end?.type === 'end');
      assert.equal(end.finish, 'stop');
      assert.ok(end.model.length > 0);
      assert.ok(end.usage.prompt > 0 && end.usage.completion > 0);
      assert.equal(end.usage.estimated, false);
      assert.equal(events.filter((event) => event.type === 'end').length, 1);
    });

    test('what is stopped before it begins says so and costs nothing', async () => {
      const signal = AbortSignal.abort();
      const { events, error } = await listen(started.model, toRequest({ model: started.name }), { signal });
      assert.equal(error?.kind, 'stopped');
      assert.deepEqual(
        events.filter((event) => event.type === 'text' || event.type === 'end'),
        [],
      );
    });

    test('a stop in the middle ends the answer at once, with what it had cost by then', async () => {
      const stop = new AbortController();
      const { events, text, error } = await listen(started.model, toRequest({ model: started.name }), {
        signal: stop.signal,
        onEvent: (event) => event.type === 'text' && stop.abort(),
      });
      assert.equal(error?.kind, 'stopped');
      assert.equal(events.filter((event) => event.type === 'text').length, 1);
      const cost = events.at(-1);
      assert.ok(cost?.type === 'attempt', 'its cost is told last');
      assert.ok(cost.usage.prompt > 0);
      assert.ok(cost.usage.completion > 0 && cost.usage.completion <= text.length);
    });

    test('several people are answered side by side', async () => {
      const all = await Promise.all(
        Array.from({ length: 20 }, () => listen(started.model, toRequest({ model: started.name }))),
      );
      for (const { text, error } of all) {
        assert.equal(error, undefined);
        assert.equal(text, all[0]?.text);
      }
    });
  });
}
