import type { OpenAI } from 'openai';
import type { ChatMessage, ModelRequest, ToolChoice } from './model.ts';

/** What can be called, as one server takes it; where it takes none, what was called is told in words. */

type Params = Pick<OpenAI.Chat.ChatCompletionCreateParamsStreaming, 'tools' | 'tool_choice'>;

export function toCallParts(
  request: Pick<ModelRequest, 'messages' | 'tools' | 'toolChoice'>,
  refused: ReadonlySet<string>,
): { messages: readonly ChatMessage[]; params: Params } {
  const { messages, tools = [], toolChoice = 'auto' } = request;
  // A server that is not to be told that nothing may be called must not be told what could be.
  const unheard = toolChoice === 'none' && refused.has('tool_choice');
  if (tools.length === 0 || refused.has('tools') || unheard) return { messages: messages.map(inWords), params: {} };
  const offered = tools.map(({ name, description, parameters }) => ({
    type: 'function' as const,
    function: { name, description: description.toWellFormed(), parameters },
  }));
  // A tool that is wanted may be one that the server refuses.
  const isThere = typeof toolChoice === 'string' || tools.some(({ name }) => name === toolChoice.name);
  const isFree = toolChoice === 'auto' || refused.has('tool_choice') || !isThere;
  return { messages, params: { tools: offered, ...(isFree ? {} : { tool_choice: toChoice(toolChoice) }) } };
}

function toChoice(choice: Exclude<ToolChoice, 'auto'>): NonNullable<Params['tool_choice']> {
  return choice === 'none' ? 'none' : { type: 'function', function: { name: choice.name } };
}

/** Many servers refuse calls in the messages of a request that offers nothing to call. */
function inWords(message: ChatMessage): ChatMessage {
  if (message.role === 'tool') return { role: 'user', content: message.content };
  if (message.role !== 'assistant' || message.toolCalls === undefined) return message;
  const calls = message.toolCalls.map((call) => `[${call.name} ${call.arguments}]`);
  return { role: 'assistant', content: [message.content, ...calls].filter((part) => part !== '').join('\n') };
}
