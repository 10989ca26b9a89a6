import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { ApiServer } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import { createDemoModel, demoModelName } from './demo.ts';
import type { Model } from './model.ts';
import { findOllama } from './ollama.ts';

/**
 * Whatever chat API is there: the one configured, else a local Ollama, else the demo model.
 * The client's library is loaded only where it is used.
 */

interface Chosen {
  model: Model;
  /** What is asked for where no setting says otherwise. */
  name: string;
  told: string;
  /** Where it answers; nothing for the demo model. */
  server: ApiServer | undefined;
}

const ollamaMs = 300;
const demoWordMs = 15;

export async function chooseModel(
  config: Pick<Config, 'model' | 'ollamaUrl'>,
  deps: { log: Log; countTokens: (text: string, model: string) => Promise<number> },
  clock: Clock = systemClock,
): Promise<Chosen> {
  const { apiKey, baseUrl, organization, project, name, fallbacks, firstTokenMs, idleMs, contextTokens } = config.model;
  const wire = { clock, random: Math.random, log: deps.log, countTokens: deps.countTokens };
  const limits = { firstTokenMs, idleMs, contextTokens };
  if (apiKey !== undefined || baseUrl !== undefined) {
    const { createOpenAiModel } = await import('./openai.ts');
    const server = { apiKey, baseUrl, organization, project };
    const model = createOpenAiModel({ ...server, fallbackModels: fallbacks, ownModel: name, ...limits }, wire);
    return { model, name, told: `the chat model is ${name}`, server };
  }
  const ollama = await findOllama(config.ollamaUrl, ollamaMs);
  const local = ollama?.models[0];
  if (ollama !== undefined && local !== undefined) {
    const { createOpenAiModel } = await import('./openai.ts');
    const found = { apiKey: undefined, baseUrl: ollama.baseUrl, fallbackModels: ollama.models.slice(1, 2) };
    return {
      model: createOpenAiModel({ ...found, ...limits }, wire),
      name: local,
      told: `no OPENAI_API_KEY: the chat model is ${local} of the Ollama on this machine`,
      server: found,
    };
  }
  return {
    model: createDemoModel({ clock, wordMs: demoWordMs, countTokens: deps.countTokens }),
    name: demoModelName,
    told: 'no OPENAI_API_KEY: the demo model answers, which is no language model; set OPENAI_API_KEY or OPENAI_BASE_URL for a real one',
    server: undefined,
  };
}
