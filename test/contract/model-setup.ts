import { createOpenAiModel, type OpenAiConfig } from '../../src/model/openai.ts';
import { type Answer, type ChatRequest, countTokens } from '../sim/model-answer.ts';
import { type ModelServer, startModelServer } from '../sim/model-server.ts';
import { createTestClock } from '../unit/model-clock.ts';

/** A model client before a scripted server, with a clock that stands still: nothing in these tests really waits. */

export const firstTokenMs = 60_000_000;
export const idleMs = 30_000_000;
/** How long a server may take for the usage, after its last word. */
export const afterFinishMs = 4000;

export interface Setup extends AsyncDisposable {
  server: ModelServer;
  model: ReturnType<typeof createOpenAiModel>;
  clock: ReturnType<typeof createTestClock>;
  /** Warnings, as they would stand in the log. */
  warnings: object[];
  /** Every line, debug included. */
  lines: { fields: object; message: string }[];
  /** Resolves when the client has seen the headers of so many answers. */
  headersSeen(count: number): Promise<void>;
}

export async function setUp(
  answer: (request: ChatRequest) => string | Answer | Promise<string | Answer>,
  change: Partial<OpenAiConfig> = {},
): Promise<Setup> {
  const server = await startModelServer({ answer });
  const clock = createTestClock((ms) => ms >= idleMs || ms === afterFinishMs);
  const warnings: object[] = [];
  const lines: Setup['lines'] = [];
  const config: OpenAiConfig = {
    apiKey: 'sk-secret-key',
    baseUrl: server.url,
    fallbackModels: [],
    firstTokenMs,
    idleMs,
    contextTokens: undefined,
    ...change,
  };
  const awaited: { count: number; resolve: () => void }[] = [];
  const answered = () => lines.filter((line) => line.message === 'the chat API answered').length;
  const log = {
    debug: (fields: object, message: string) => {
      lines.push({ fields, message });
      for (const each of awaited) if (answered() >= each.count) each.resolve();
    },
    warn: (fields: object, message: string) => {
      warnings.push(fields);
      lines.push({ fields, message });
    },
  };
  const model = createOpenAiModel(config, { clock, random: () => 0.5, log, countTokens });
  const headersSeen = (count: number) =>
    answered() >= count ? Promise.resolve() : new Promise<void>((resolve) => awaited.push({ count, resolve }));
  return { server, model, clock, warnings, lines, headersSeen, [Symbol.asyncDispose]: () => server.close() };
}
