import type { ComponentChild } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PromptAnswer } from '../wire.ts';
import { Dialog } from './dialog.ts';
import { html } from './html.ts';
import { toCount, toNoun } from './numbers.ts';
import { get, memoryPath, problemOf } from './server.ts';

/** What would be sent if somebody asked now, message by message. */
export function PromptDialog({ channel, onClose }: { channel: string; onClose(): void }): ComponentChild {
  const [prompt, setPrompt] = useState<PromptAnswer | undefined>(undefined);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    get<PromptAnswer>(memoryPath(channel, '/prompt')).then(setPrompt, (error: unknown) => setProblem(problemOf(error)));
  }, [channel]);
  return html`<${Dialog} title="The exact next prompt" wide=${true} onClose=${onClose}>
    ${problem === '' ? '' : html`<p class="warning" role="alert">${problem}</p>`}
    ${
      prompt === undefined
        ? ''
        : html`<p class="hint">
              ${toCount(prompt.tokens)} tokens: ${toSum(prompt)}. “…” stands for the message that is not written yet.
            </p>
            <div class="prompt-messages" tabindex="0" role="region" aria-label="The messages and tools of the prompt">
              ${prompt.messages.map((message) => html`<${PromptMessage} message=${toShown(message)} />`)}
              ${prompt.tools.map((tool) => html`<${PromptTool} tool=${tool} />`)}
            </div>`
    }
  <//>`;
}

function toSum({ messages, tools, tokens }: PromptAnswer): string {
  const inTools = tools.reduce((sum, tool) => sum + tool.tokens, 0);
  const inMessages = `${toNoun(messages.length, 'message')} (${toCount(tokens - inTools)})`;
  return tools.length === 0 ? inMessages : `${inMessages} and ${toNoun(tools.length, 'tool')} (${toCount(inTools)})`;
}

function PromptTool({ tool }: { tool: PromptAnswer['tools'][number] }): ComponentChild {
  const { name, description, parameters, tokens } = tool;
  return html`<article class="prompt-message tool">
    <h3>tool <span class="tokens">${toNoun(tokens, 'token')}</span></h3>
    <pre>${JSON.stringify({ name, description, parameters }, undefined, 2)}</pre>
  </article>`;
}

interface Shown {
  role: string;
  text: string;
}

function PromptMessage({ message }: { message: Shown }): ComponentChild {
  return html`<article class=${`prompt-message ${message.role}`}>
    <h3>${message.role}</h3>
    <pre>${message.text}</pre>
  </article>`;
}

/** Prompts differ from model to model: what is no plain text is shown as it is sent. */
function toShown(message: unknown): Shown {
  if (typeof message !== 'object' || message === null) return { role: 'other', text: JSON.stringify(message) };
  const { role, content, ...rest } = { role: 'other', content: undefined, ...message };
  const more = Object.keys(rest).length === 0 ? '' : `\n${JSON.stringify(rest, undefined, 2)}`;
  const text = typeof content === 'string' ? content : JSON.stringify(content ?? null, undefined, 2);
  return { role: String(role), text: text + more };
}
