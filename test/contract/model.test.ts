import { LLMock } from '@copilotkit/aimock';
import { systemClock } from '../../src/model/clock.ts';
import { createDemoModel } from '../../src/model/demo.ts';
import { createOpenAiModel, type OpenAiConfig } from '../../src/model/openai.ts';
import { countTokens } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { modelContract } from './model.ts';

const silent = { debug: () => {}, warn: () => {} };

function openAiAt(baseUrl: string) {
  const config: OpenAiConfig = {
    apiKey: 'test-key',
    baseUrl,
    fallbackModels: [],
    firstTokenMs: 30_000,
    idleMs: 30_000,
    contextTokens: undefined,
  };
  return createOpenAiModel(config, { clock: systemClock, random: Math.random, log: silent, countTokens });
}

modelContract('a chat server spoken to over raw HTTP', async () => {
  const server = await startModelServer({
    answer: (request) => ({ text: `You said: ${request.last}`, delayMs: 1 }),
  });
  return { model: openAiAt(server.url), name: 'main-model', close: () => server.close() };
});

modelContract('aimock', async () => {
  const mock = new LLMock({ port: 0, latency: 2, chunkSize: 6 });
  const usage = { prompt_tokens: 31, completion_tokens: 12, total_tokens: 43 };
  mock.onMessage(/cat/, { content: 'Mirabelle is a lovely name for a cat that sleeps all day.', usage });
  await mock.start();
  return { model: openAiAt(`${mock.url}/v1`), name: 'gpt-4o-mini', close: () => mock.stop() };
});

modelContract('the demo model', async () => ({
  model: createDemoModel({ clock: systemClock, wordMs: 1, countTokens }),
  name: 'demo',
  close: async () => {},
}));
