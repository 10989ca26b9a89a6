import { BotError } from '../errors.ts';
import { type Clock, sleep } from './clock.ts';
import { answerFrom } from './demo-answer.ts';
import { turnWithTools } from './demo-calls.ts';
import { foldFrom } from './demo-fold.ts';
import { contentText, readPrompt } from './demo-prompt.ts';
import type { ChatMessage, FinishReason, Model, ModelRequest, Usage } from './model.ts';

export interface DemoDeps {
  clock: Clock;
  /** Between words, so that streaming can be seen. */
  wordMs: number;
  countTokens: (text: string, model: string) => number | Promise<number>;
}

export const demoModelName = 'demo';

/** As providers count: what a message costs beside its text, and the beginning of the reply. */
const perMessageTokens = 4;
const replyPrimerTokens = 3;

/**
 * Stands in where no chat API is configured, so that everything around it can be tried: it remembers nothing itself and
 * answers only from its prompt, always the same to the same.
 */
export function createDemoModel(deps: DemoDeps): Model {
  const count = async (text: string) => deps.countTokens(text, demoModelName);

  return {
    contextTokens: () => undefined,
    async *stream(request, signal) {
      const prompt = await countPrompt(request.messages);
      const turn = request.purpose === 'answer' ? turnWithTools(request) : undefined;
      if (turn !== undefined && 'call' in turn) {
        yield { type: 'tool-call', call: turn.call };
        const usage = await usageOf(prompt, turn.call.name + turn.call.arguments);
        return yield { type: 'end', finish: 'tool_calls', usage, model: demoModelName, asked: request.model };
      }
      const { words, finish } = await fit(turn?.text ?? (await compose(request)), request.maxTokens);
      let shown = '';
      for (const word of words) {
        await sleep(deps.clock, deps.wordMs, signal);
        if (signal.aborted) {
          yield { type: 'attempt', model: demoModelName, usage: await usageOf(prompt, shown) };
          throw new BotError('stopped', 'this answer was stopped');
        }
        shown += word;
        yield { type: 'text', text: word };
      }
      yield { type: 'end', finish, usage: await usageOf(prompt, shown), model: demoModelName, asked: request.model };
    },
  };

  async function compose(request: ModelRequest): Promise<string> {
    if (request.purpose === 'answer') return answerFrom(readPrompt(request.messages));
    return foldFrom({ messages: request.messages, maxTokens: request.maxTokens, countTokens: count });
  }

  async function countPrompt(messages: readonly ChatMessage[]): Promise<number> {
    let total = replyPrimerTokens;
    for (const message of messages) total += perMessageTokens + (await count(contentText(message.content)));
    return total;
  }

  /** As many words as the limit allows. */
  async function fit(text: string, maxTokens: number): Promise<{ words: string[]; finish: FinishReason }> {
    const words = text.trim() === '' ? [] : text.trimEnd().split(/(?<=\S)(?=\s)/);
    if ((await count(text)) <= maxTokens) return { words, finish: 'stop' };
    let low = 0;
    let high = words.length;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((await count(words.slice(0, middle).join(''))) <= maxTokens) low = middle;
      else high = middle - 1;
    }
    return { words: words.slice(0, low), finish: 'length' };
  }

  async function usageOf(prompt: number, text: string): Promise<Usage> {
    return { prompt, cached: 0, completion: await count(text), reasoning: 0, estimated: false };
  }
}
