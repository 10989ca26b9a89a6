import type { OpenAI } from 'openai';
import type { ChatMessage, ModelRequest, RequestSettings } from './model.ts';
import { toCallParts } from './tool-wire.ts';

/** How a request is put for one server and model, and what is learnt when the server refuses a part of it. */

type Params = OpenAI.Chat.ChatCompletionCreateParamsStreaming;
type LimitName = 'max_tokens' | 'max_completion_tokens';

export interface Dialect {
  limitName: LimitName;
  /** Parameters the server has refused, by their names on the wire. */
  refused: ReadonlySet<string>;
}

/**
 * OpenAI's newer models refuse `max_tokens`; most other servers know nothing else, and some ignore what they do not
 * know, so that the reply would have no limit at all: there the older name is the safe one to begin with.
 */
export function firstDialect(baseUrl: string | undefined): Dialect {
  const host = baseUrl === undefined ? 'api.openai.com' : new URL(baseUrl).hostname;
  const isOpenAi = /(^|\.)openai\.(com|azure\.com)$/.test(host);
  return { limitName: isOpenAi ? 'max_completion_tokens' : 'max_tokens', refused: new Set() };
}

/** The dialect without `name`; nothing when the request cannot do without it. */
export function learnRefusal(dialect: Dialect, name: string, purpose: ModelRequest['purpose']): Dialect | undefined {
  if (dialect.refused.has(name)) return undefined;
  const refused = new Set([...dialect.refused, name]);
  if (name === dialect.limitName) {
    const other: LimitName = name === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
    return dialect.refused.has(other) ? undefined : { limitName: other, refused };
  }
  const canGo = droppable.has(name) || (purpose === 'fold' && settingNames.has(name));
  return canGo ? { ...dialect, refused } : undefined;
}

const droppable = new Set(['stream_options', 'prompt_cache_key', 'tools', 'tool_choice']);

const settingNames = new Set([
  'temperature',
  'top_p',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'logit_bias',
  'stop',
  'response_format',
]);

export function toParams(request: ModelRequest, model: string, dialect: Dialect): Params {
  const { refused } = dialect;
  const settings = toSettings(request.settings);
  if (request.purpose === 'fold') {
    for (const name of settingNames) if (refused.has(name)) Reflect.deleteProperty(settings, name);
  }
  const { messages, params } = toCallParts(request, refused);
  return {
    model,
    messages: messages.map(toMessage),
    stream: true,
    [dialect.limitName]: request.maxTokens,
    ...(refused.has('stream_options') ? {} : { stream_options: { include_usage: true } }),
    ...(refused.has('prompt_cache_key') ? {} : { prompt_cache_key: request.cacheKey }),
    ...params,
    ...settings,
  };
}

function toSettings(settings: RequestSettings): Partial<Params> {
  return {
    ...(settings.temperature === undefined ? {} : { temperature: settings.temperature }),
    ...(settings.topP === undefined ? {} : { top_p: settings.topP }),
    ...(settings.seed === undefined ? {} : { seed: settings.seed }),
    ...(settings.frequencyPenalty === undefined ? {} : { frequency_penalty: settings.frequencyPenalty }),
    ...(settings.presencePenalty === undefined ? {} : { presence_penalty: settings.presencePenalty }),
    ...(settings.logitBias === undefined ? {} : { logit_bias: settings.logitBias }),
    ...(settings.stop === undefined ? {} : { stop: settings.stop }),
    ...(settings.responseFormat === undefined ? {} : { response_format: { type: settings.responseFormat } }),
  };
}

/** A lone surrogate is an escape that strict servers fail on. */
function toMessage(message: ChatMessage): OpenAI.Chat.ChatCompletionMessageParam {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.content.toWellFormed() };
    case 'user':
      return { role: 'user', content: toUserContent(message.content) };
    case 'assistant':
      return toAssistant(message);
    case 'tool':
      return { role: 'tool', tool_call_id: message.callId, content: message.content.toWellFormed() };
  }
}

function toUserContent(content: Extract<ChatMessage, { role: 'user' }>['content']) {
  if (typeof content === 'string') return content.toWellFormed();
  return content.map((part) =>
    part.type === 'text'
      ? ({ type: 'text', text: part.text.toWellFormed() } as const)
      : ({ type: 'image_url', image_url: { url: part.url } } as const),
  );
}

function toAssistant(message: Extract<ChatMessage, { role: 'assistant' }>): OpenAI.Chat.ChatCompletionMessageParam {
  const content = message.content.toWellFormed();
  if (message.toolCalls === undefined || message.toolCalls.length === 0) return { role: 'assistant', content };
  const calls = message.toolCalls.map(
    (call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } }) as const,
  );
  return { role: 'assistant', content: content === '' ? null : content, tool_calls: calls };
}
