import type { OpenAI } from 'openai';
import { mergeConsecutive, systemIntoUser } from './alternation.ts';
import { type Dialect, offeredTools, settingNames } from './dialect.ts';
import type { ChatMessage, ModelRequest, RequestSettings } from './model.ts';
import { toCallParts } from './tool-wire.ts';

/** A request as one server and model take it. */

type Params = OpenAI.Chat.ChatCompletionCreateParamsStreaming;
export function toParams(request: ModelRequest, model: string, dialect: Dialect): Params {
  const { refused } = dialect;
  const settings = toSettings(request.settings);
  if (request.purpose === 'fold') {
    for (const name of settingNames) if (refused.has(name)) Reflect.deleteProperty(settings, name);
  }
  const { messages, params } = toCallParts({ ...request, tools: offeredTools(request.tools, dialect) }, refused);
  const noThinking = params.tools !== undefined && dialect.noThinkingBesideTools && !refused.has('reasoning_effort');
  return {
    model,
    messages: inTurns(messages, dialect).map(toMessage),
    stream: true,
    [dialect.limitName]: request.maxTokens,
    ...(refused.has('stream_options') ? {} : { stream_options: { include_usage: true } }),
    ...(refused.has('prompt_cache_key') ? {} : { prompt_cache_key: request.cacheKey }),
    ...(noThinking ? { reasoning_effort: 'none' as const } : {}),
    ...params,
    ...settings,
  };
}

function inTurns(messages: readonly ChatMessage[], dialect: Dialect): readonly ChatMessage[] {
  if (dialect.systemInUser) return systemIntoUser(messages);
  return dialect.alternating ? mergeConsecutive(messages) : messages;
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
