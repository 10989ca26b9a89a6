import type { ToolCall, Usage } from './model.ts';

/**
 * One chunk of a streamed answer, read with every liberty that compatible servers take: no `choices`, no `delta`,
 * `content: null` or a list of parts, a whole `message` where streaming was asked for, usage on every chunk or never.
 */

export interface CallPiece {
  index: number | undefined;
  id: string;
  name: string;
  arguments: string;
}

export interface Chunk {
  text: string;
  /** Characters of thinking: paid for, never shown. */
  thinking: number;
  calls: CallPiece[];
  /** As the server wrote it. */
  finish: string | undefined;
  usage: Usage | undefined;
  model: string | undefined;
  fingerprint: string | undefined;
}

const maxFingerprintChars = 100;

export function readChunk(value: unknown): Chunk {
  const chunk = record(value);
  const choice =
    list(chunk.choices)
      .map(record)
      .find((each) => (each.index ?? 0) === 0) ?? {};
  const delta = record(choice.delta ?? choice.message);
  return {
    text: readText(delta.content) + string(delta.refusal),
    thinking: string(delta.reasoning_content).length + string(delta.reasoning).length,
    calls: list(delta.tool_calls).map(readCall),
    finish: string(choice.finish_reason) || undefined,
    usage: readUsage(chunk.usage),
    model: string(chunk.model) || undefined,
    fingerprint: string(chunk.system_fingerprint).slice(0, maxFingerprintChars) || undefined,
  };
}

/** Joins the pieces of tool calls as they come. */
export function createCallList() {
  const calls: ToolCall[] = [];
  const byIndex = new Map<number, ToolCall>();
  return {
    calls,
    add(piece: CallPiece): void {
      const index = piece.index ?? (piece.id === '' ? calls.length - 1 : calls.length);
      const known = byIndex.get(index);
      // Some servers number every one of several parallel calls 0: another id is another call.
      if (known === undefined || (piece.id !== '' && piece.id !== known.id)) {
        const call = { id: piece.id || `call_${calls.length}`, name: piece.name, arguments: piece.arguments };
        calls.push(call);
        byIndex.set(index, call);
        return;
      }
      known.name ||= piece.name;
      known.arguments += piece.arguments;
    },
  };
}

function readCall(value: unknown): CallPiece {
  const call = record(value);
  const body = record(call.function);
  return {
    index: typeof call.index === 'number' ? call.index : undefined,
    id: string(call.id),
    name: string(body.name),
    arguments: string(body.arguments),
  };
}

function readText(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((part) => string(record(part).text))
    .join('');
}

function readUsage(value: unknown): Usage | undefined {
  const usage = record(value);
  const prompt = count(usage.prompt_tokens);
  const completion = count(usage.completion_tokens);
  // Servers that count nothing send zeros.
  if (prompt === 0) return undefined;
  return {
    prompt,
    cached: Math.min(prompt, count(record(usage.prompt_tokens_details).cached_tokens)),
    completion,
    reasoning: count(record(usage.completion_tokens_details).reasoning_tokens),
    estimated: false,
  };
}

export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
}
