import type { ChatMessage, ContentPart } from './model.ts';

/**
 * For servers that want user and assistant to take turns, a user first: neighbours of one role become one message. Calls
 * and their results stay as they are; the templates that take them do not count them as turns.
 */
export function mergeConsecutive(messages: readonly ChatMessage[]): ChatMessage[] {
  const merged: ChatMessage[] = [];
  for (const message of messages) {
    const before = merged.at(-1);
    const isFirst = before === undefined || before.role === 'system';
    if (isFirst && message.role === 'assistant') merged.push(beginning);
    const one = isFirst ? undefined : asOne(before, message);
    if (one === undefined) merged.push(message);
    else merged[merged.length - 1] = one;
  }
  return merged;
}

const beginning: ChatMessage = { role: 'user', content: '(What was said before is not shown.)' };

/** Nothing where the two do not follow upon each other in one role. */
function asOne(first: ChatMessage, second: ChatMessage): ChatMessage | undefined {
  if (first.role === 'user' && second.role === 'user') {
    return { role: 'user', content: joined(first.content, second.content) };
  }
  if (first.role !== 'assistant' || second.role !== 'assistant' || first.toolCalls !== undefined) return undefined;
  const content = [first.content, second.content].filter((part) => part !== '').join('\n\n');
  return { ...second, content };
}

type UserContent = Extract<ChatMessage, { role: 'user' }>['content'];

function joined(first: UserContent, second: UserContent): UserContent {
  if (typeof first === 'string' && typeof second === 'string') return `${first}\n\n${second}`;
  return [...toParts(first), ...toParts(second)];
}

function toParts(content: UserContent): ContentPart[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** For servers without a system role. */
export function systemIntoUser(messages: readonly ChatMessage[]): ChatMessage[] {
  const asUsers = messages.map(
    (message): ChatMessage => (message.role === 'system' ? { role: 'user', content: message.content } : message),
  );
  return mergeConsecutive(asUsers);
}
