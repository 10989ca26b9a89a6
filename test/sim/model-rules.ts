import { type Answer, type ChatRequest, failure, refusedParameter, type WireMessage } from './model-answer.ts';

/** What real servers have against a request, as they say it. Each answers nothing where it has nothing against it. */

type Rule = (request: Pick<ChatRequest, 'body' | 'model' | 'messages'>) => Answer | undefined;

/** OpenAI's models from gpt-5.4 on, on Chat Completions. */
export const thinkingModel: Rule = ({ body, model }) => {
  if ('max_tokens' in body) return refusedParameter('max_tokens');
  if (body.tools === undefined || body.reasoning_effort === 'none') return undefined;
  return failure(400, {
    message: `Function tools with reasoning_effort are not supported for ${model} in /v1/chat/completions. Please use /v1/responses or set reasoning_effort to 'none'.`,
    type: 'invalid_request_error',
    param: 'reasoning_effort',
  });
};

/** One of them that always thinks. */
export const alwaysThinkingModel: Rule = (request) => {
  if (request.body.reasoning_effort !== 'none') return thinkingModel(request);
  return failure(400, {
    message:
      "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported values are: 'low', 'medium', and 'high'.",
    type: 'invalid_request_error',
    param: 'reasoning_effort',
    code: 'unsupported_value',
  });
};

type Saying = (sentence: string) => Answer;

/** How servers pass on what a chat template throws. */
export const templateErrors: Record<string, Saying> = {
  'llama.cpp': (sentence) => ({
    status: 500,
    body: {
      error: {
        code: 500,
        message: `\n------------\nWhile executing CallExpression at line 9, column 28 in source:\n...\nError: Jinja Exception: ${sentence}`,
        type: 'server_error',
      },
    },
  }),
  vLLM: (sentence) => ({
    status: 400,
    body: { object: 'error', message: sentence, type: 'BadRequestError', param: null, code: 400 },
  }),
  Anthropic: () =>
    failure(400, {
      message:
        'messages: roles must alternate between "user" and "assistant", but found multiple "user" roles in a row',
      type: 'invalid_request_error',
    }),
  Perplexity: () =>
    failure(400, {
      message:
        'After the (optional) system message(s), user or tool message(s) should alternate with assistant message(s).',
      type: 'invalid_message',
      code: '400',
    }),
};

const isCall = ({ role, raw }: WireMessage): boolean => role === 'tool' || raw.tool_calls !== undefined;
const mustAlternate =
  'After the optional system message, conversation roles must alternate user and assistant roles except for tool calls and results.';

/** Mistral's template: calls and their results do not count as turns. */
export function alternating(say: Saying): Rule {
  return ({ messages }) => {
    const turns = messages.filter((message, n) => !isCall(message) && !(n === 0 && message.role === 'system'));
    const isRight = turns.every(({ role }, n) => role === (n % 2 === 0 ? 'user' : 'assistant'));
    return isRight ? undefined : say(mustAlternate);
  };
}

/** Older templates: user and assistant in turns, and nobody else. */
export function userAndAssistantOnly(say: Saying): Rule {
  return (request) => {
    if (request.messages.some(({ role }) => role !== 'user' && role !== 'assistant'))
      return say('Only user and assistant roles are supported!');
    return alternating(say)(request);
  };
}
