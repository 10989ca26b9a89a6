import { createCallList, readChunk } from './chunk.ts';
import type { FinishReason, ToolCall, Usage } from './model.ts';

/** What has come of an answer so far. */
export interface Progress {
  accept(model: string | null): void;
  /** Takes a chunk in and returns the text that can be shown. */
  add(chunk: unknown): string;
  /** What was held back. */
  end(): string;
  /** Anything but empty chunks has come. */
  begun(): boolean;
  chars(): number;
  finish(): string | undefined;
  calls: readonly ToolCall[];
  state(): {
    accepted: boolean;
    text: string;
    thinking: number;
    usage: Usage | undefined;
    model: string | undefined;
    fingerprint: string | undefined;
  };
}

export function createProgress(): Progress {
  const callList = createCallList();
  let accepted = false;
  let text = '';
  let held = '';
  let thinking = 0;
  let callChars = 0;
  let finish: string | undefined;
  let usage: Usage | undefined;
  let model: string | undefined;
  let fingerprint: string | undefined;
  return {
    accept(name) {
      accepted = true;
      model = name ?? undefined;
    },
    add(value) {
      const chunk = readChunk(value);
      thinking += chunk.thinking;
      finish = chunk.finish ?? finish;
      usage = chunk.usage ?? usage;
      model = chunk.model ?? model;
      fingerprint = chunk.fingerprint ?? fingerprint;
      for (const piece of chunk.calls) {
        callList.add(piece);
        callChars += piece.arguments.length;
      }
      // Some servers cut between the two halves of a character.
      const whole = held + chunk.text;
      held = /[\uD800-\uDBFF]$/.test(whole) ? whole.slice(-1) : '';
      const shown = whole.slice(0, whole.length - held.length).toWellFormed();
      text += shown;
      return shown;
    },
    end() {
      const rest = held.toWellFormed();
      held = '';
      text += rest;
      return rest;
    },
    begun: () => text !== '' || thinking > 0 || callList.calls.length > 0,
    chars: () => text.length + callChars,
    finish: () => finish,
    calls: callList.calls,
    state: () => ({ accepted, text, thinking, usage, model, fingerprint }),
  };
}

/** Nothing where the stream ended without saying that it was over. */
export function toFinish(finish: string | undefined, cutByUs: boolean, hasCalls: boolean): FinishReason | undefined {
  if (finish === undefined) return cutByUs ? 'length' : undefined;
  if (finish === 'length' || finish === 'max_tokens') return 'length';
  if (finish === 'content_filter') return 'content_filter';
  if (finish === 'error' || finish === 'insufficient_system_resource') return undefined;
  return hasCalls ? 'tool_calls' : 'stop';
}

export async function estimateUsage(
  progress: Progress,
  prompt: number,
  countTokens: (text: string) => number | Promise<number>,
): Promise<Usage> {
  const { text, thinking } = progress.state();
  // Thinking comes as text that is not kept: four characters a token are near enough for what is marked as estimated.
  const reasoning = Math.ceil(thinking / 4);
  const calls = progress.calls.map((call) => `${call.name}${call.arguments}`).join('');
  const completion = (await countTokens(text + calls)) + reasoning;
  return { prompt, cached: 0, completion, reasoning, estimated: true };
}
