import { ZodError } from 'zod';
import type { ToolResult } from '../conversation/turn.ts';
import { BotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';
import type { Log } from '../log.ts';
import type { ToolCall } from '../model/model.ts';
import type { Tool } from './tool.ts';

/**
 * Carries out what the model calls, side by side. Whatever goes wrong comes back as a result that the model can act on;
 * only who ends the answer ends this, too.
 */

export interface CallRun {
  tools: readonly Tool[];
  channel: ChannelId;
  signal: AbortSignal;
  log: Pick<Log, 'debug' | 'warn'>;
  now(): number;
  /** For one call. */
  limitMs?: number;
  /** A tool failed, through no fault of the arguments. */
  onFailed?(): void;
  /** The reply limit cut the last one off. */
  cut?: boolean;
}

const usualLimitMs = 30_000;
const mostAtOnce = 16;
/** Beyond this nothing is even counted. */
const mostChars = 24_000;
const mostNamed = 40;
const mostIssues = 5;
const quotedChars = 200;

/** One result a call, in their order. Throws the signal's reason. */
export async function runCalls(calls: readonly ToolCall[], run: CallRun): Promise<ToolResult[]> {
  const results = calls.map(async (call, n): Promise<ToolResult> => {
    const isCut = run.cut === true && n === calls.length - 1;
    const content = n < mostAtOnce ? await resultOf(call, run, isCut) : `Error: at most ${mostAtOnce} calls at once.`;
    return { id: call.id, content: cleaned(content) };
  });
  return await Promise.all(results);
}

async function resultOf(call: ToolCall, run: CallRun, isCut: boolean): Promise<string> {
  if (isCut) return 'Error: the limit of the reply cut this call off before it was run. Use shorter arguments.';
  const tool = run.tools.find(({ name }) => name === call.name);
  if (tool === undefined) return unknownTool(call.name, run.tools);
  const args = parseArguments(call.arguments);
  if ('problem' in args) return args.problem;
  const begun = run.now();
  try {
    const result = await withinLimit(tool, args.value, run);
    run.log.debug({ channel: run.channel, tool: tool.name, ms: run.now() - begun }, 'a tool was called');
    return result;
  } catch (error) {
    run.signal.throwIfAborted();
    return toProblem(error, tool, run);
  }
}

function unknownTool(name: string, tools: readonly Tool[]): string {
  const known = tools.slice(0, mostNamed).map((tool) => tool.name);
  return `Error: there is no tool ${quoted(name)}. ${known.length === 0 ? 'There is none.' : `There is: ${known.join(', ')}.`}`;
}

/** No arguments at all are as good as none. */
function parseArguments(text: string): { value: unknown } | { problem: string } {
  if (text.trim() === '') return { value: {} };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { problem: `Error: the arguments are no valid JSON. They were: ${quoted(text)}` };
  }
}

class TookTooLong extends Error {}

/** A tool that pays no heed to its signal is left behind. */
async function withinLimit(tool: Tool, args: unknown, run: CallRun): Promise<string> {
  const limitMs = run.limitMs ?? usualLimitMs;
  const over = new AbortController();
  const signal = AbortSignal.any([run.signal, over.signal]);
  const tooLong = new TookTooLong(`Error: it took longer than ${Math.ceil(limitMs / 1000)} seconds and was ended.`);
  const timer = setTimeout(() => over.abort(tooLong), limitMs);
  let giveUp = (): void => undefined;
  const ended = new Promise<never>((_, reject) => {
    giveUp = () => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([tool.run(args, { channel: run.channel, signal, now: run.now() }), ended]);
  } catch (error) {
    throw over.signal.aborted ? tooLong : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

function toProblem(error: unknown, tool: Tool, run: CallRun): string {
  if (!isWrongCall(error)) run.onFailed?.();
  if (error instanceof TookTooLong) return error.message;
  if (error instanceof ZodError) return wrongArguments(error);
  if (error instanceof BotError) return `Error: ${error.message}`;
  // What it says may hold secrets, and would be in the memory for ever.
  run.log.warn({ channel: run.channel, tool: tool.name, error }, 'a tool failed');
  return 'Error: it failed. Trying again may help once; otherwise answer without it.';
}

function isWrongCall(error: unknown): boolean {
  return error instanceof ZodError || (error instanceof BotError && error.kind === 'input');
}

function wrongArguments({ issues }: ZodError): string {
  const shown = issues.slice(0, mostIssues).map((issue) => {
    const where = issue.path.map(String).join('.');
    return where === '' ? issue.message : `${where}: ${issue.message}`;
  });
  const hint = 'If the person did not say what is needed, ask instead of guessing.';
  return `Error: wrong arguments: ${shown.join('; ')}. ${hint}`;
}

function quoted(text: string): string {
  const short = text.length > quotedChars ? `${text.slice(0, quotedChars)}…` : text;
  return JSON.stringify(short.toWellFormed());
}

function cleaned(text: string): string {
  const short = text.slice(0, mostChars);
  const plain = short
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\t\n]/gu, '')
    .trim();
  const mark =
    short.length < text.length
      ? `\n[The result had ${text.length.toLocaleString('en-US')} characters; these are the first.]`
      : '';
  return plain === '' ? '(it returned nothing)' : `${plain}${mark}`;
}
