import type { BotError } from '../errors.ts';

/** The chat API as the rest of the program sees it; the wire is the business of the files beside this one. */

export type ContentPart = { type: 'text'; text: string } | { type: 'image'; url: string };

export interface ToolCall {
  id: string;
  name: string;
  /** As the model wrote it: JSON, or not. */
  arguments: string;
}

export type ChatMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string | ContentPart[] }
  | { role: 'assistant'; content: string; toolCalls?: ToolCall[] }
  | { role: 'tool'; callId: string; content: string };

/** Absent means: not sent at all. */
export interface RequestSettings {
  temperature?: number;
  topP?: number;
  seed?: number;
  frequencyPenalty?: number;
  presencePenalty?: number;
  logitBias?: Record<string, number>;
  stop?: string[];
  responseFormat?: 'text' | 'json_object';
}

/** What the model may call. */
export interface ToolSpec {
  name: string;
  description: string;
  /** The arguments, as JSON Schema. */
  parameters: Record<string, unknown>;
}

/** Whether it may call, must not, or must call this one. */
export type ToolChoice = 'auto' | 'none' | { name: string };

export interface ModelRequest {
  /** A fold's settings are ours, not a person's: what a server refuses of them is left out. */
  purpose: 'answer' | 'fold';
  /** Asked for first; the fallbacks follow. */
  model: string;
  messages: ChatMessage[];
  maxTokens: number;
  settings: RequestSettings;
  /** Absent or empty: nothing can be called. A server that takes none is asked without them. */
  tools?: readonly ToolSpec[];
  /** Absent: `auto`. */
  toolChoice?: ToolChoice;
  /** Groups requests with the same beginning for the provider's prompt cache; no personal data. */
  cacheKey: string;
  /** Our own count, used where the server sends no usage. */
  promptTokens: number;
}

export interface Usage {
  prompt: number;
  cached: number;
  completion: number;
  reasoning: number;
  /** Counted by us because the server sent nothing. */
  estimated: boolean;
  /** Which configuration of the model answered, where the server says so: `system_fingerprint`. */
  fingerprint?: string;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

export type ModelEvent =
  | { type: 'text'; text: string }
  /** Whole, after all text; an id may be one that was there before. */
  | { type: 'tool-call'; call: ToolCall }
  /** Nothing can be had before `until`; the person is told. */
  | { type: 'waiting'; until: number; reason: string }
  /** The server does not take the model asked for, or what is set for it; a fallback is asked instead. */
  | { type: 'passed-over'; error: BotError }
  /** An attempt that cost something and gave nothing to show. */
  | { type: 'attempt'; model: string; usage: Usage }
  /** Always last; a stream without it threw. `asked`: by which of our names; `model`: what the server calls it. */
  | { type: 'end'; finish: FinishReason; usage: Usage; model: string; asked: string };

/**
 * `stream` throws a `BotError` when no answer can be had. Once a `text` event has been yielded nothing is repeated: a
 * failure after it is `broken`, a signal's is `stopped`. What a call cost that ends so comes as an `attempt` before it throws.
 */
export interface Model {
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  /** The model's whole window in tokens, where it is known. */
  contextTokens(model: string): number | undefined;
}
