import { Agent, get } from 'node:http';
import { z } from 'zod';

const answerSchema = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      capabilities: z.array(z.string()).optional(),
      details: z.object({ family: z.string().nullish() }).nullish(),
    }),
  ),
});

type Installed = z.infer<typeof answerSchema>['models'][number];

export interface FoundOllama {
  /** As `baseUrl` of the model client takes it. */
  baseUrl: string;
  /** Those that can chat, the one used last first. */
  models: string[];
}

const maxAnswerChars = 4_000_000;

/** Whether an Ollama answers at `url` and has a model to chat with. Says nothing and never throws. */
export async function findOllama(url: string, timeoutMs: number): Promise<FoundOllama | undefined> {
  const parsed = answerSchema.safeParse(await askForModels(url, timeoutMs));
  if (!parsed.success) return undefined;
  const models = parsed.data.models.filter(canChat).map((model) => model.name);
  return models.length === 0 ? undefined : { baseUrl: new URL('/v1', url).href, models };
}

/** Older versions do not tell what a model can do. */
function canChat(model: Installed): boolean {
  if (model.capabilities !== undefined) return model.capabilities.includes('completion');
  return !/bert|embed/i.test(`${model.details?.family ?? ''} ${model.name}`);
}

/** Not by `fetch`, which may go through a proxy: what is asked for is on this machine. Nothing on any failure. */
function askForModels(url: string, timeoutMs: number): Promise<unknown> {
  return new Promise((resolve) => {
    const agent = new Agent();
    const signal = AbortSignal.timeout(timeoutMs);
    const request = get(new URL('/api/tags', url), { agent, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > maxAnswerChars) request.destroy();
      });
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve(parseJson(text)));
    });
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Something else listens there.
  }
}
