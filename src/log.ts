import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import { pino } from 'pino';
import type * as Pretty from 'pino-pretty';
import { BotError } from './errors.ts';

/**
 * Two promises hold for every line, whoever writes it: no secret stands in it, in any spelling it may have travelled
 * in, and above debug an error shows only words of ours. A foreign error's own words may quote what a person wrote (a
 * JSON parser's do), so above debug it is told by its type, its codes and where it happened.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** The same log with these fields in every line. */
  child(fields: object): Log;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  level: LogLevel;
  format: 'pretty' | 'json';
  /** Keys, tokens, passwords, and addresses that hold a password. */
  secrets: readonly string[];
  /** A file descriptor (1: stdout, the default; 2: stderr), or something to write lines to. */
  destination?: number | { write(line: string): unknown };
}

/** Lines are written before the call returns, so that none is missing when the process ends. */
export function createLog(options: LogOptions): Log {
  const { destination = 1 } = options;
  const sink = typeof destination === 'number' ? pino.destination({ dest: destination, sync: true }) : destination;
  const stream = options.format === 'json' ? sink : { write: prettyWriter(sink, destination) };
  const logger = pino({ level: options.level, base: null, serializers: { err: (error: unknown) => error } }, stream);
  return toLog(logger, createRedact(options.secrets));
}

/** Loaded only where somebody reads along, and at once: the next line may be the last. */
function prettyWriter(sink: { write(line: string): unknown }, destination: LogOptions['destination']) {
  const { isColorSupported, prettyFactory }: typeof Pretty = createRequire(import.meta.url)('pino-pretty');
  const prettify = prettyFactory({
    colorize: isColorSupported && typeof destination === 'number' && isatty(destination),
    translateTime: 'SYS:HH:MM:ss',
  });
  return (line: string) => sink.write(prettify(line));
}

function toLog(logger: pino.Logger, redact: (text: string) => string): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error', fields: object, message: string): void => {
    if (!logger.isLevelEnabled(level)) return;
    const words = redact(message);
    const plain = toPlain(fields, { redact, foreignWords: level === 'debug' });
    logger[level](plain.value, words);
    if (!plain.withheld || !logger.isLevelEnabled('debug')) return;
    logger.debug(toPlain(fields, { redact, foreignWords: true }).value, `${words} (in full)`);
  };
  return {
    debug: (fields, message) => write('debug', fields, message),
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
    child: (fields) => toLog(logger.child(toPlain(fields, { redact, foreignWords: false }).value), redact),
  };
}

const maxTextChars = 4_000;
const maxDepth = 8;
const maxEntries = 200;
const maxFrames = 12;

interface Copying {
  redact: (text: string) => string;
  foreignWords: boolean;
  /** What the value being copied stands in. */
  above: Set<object>;
  /** A foreign error's words were left out. */
  withheld: boolean;
}

/** Copies anything into plain data without secrets. Never throws: a line about a failure must not become a second one. */
function toPlain(fields: object, options: Pick<Copying, 'redact' | 'foreignWords'>) {
  const copying: Copying = { ...options, above: new Set(), withheld: false };
  const value = copy(fields, copying);
  return { value: typeof value === 'object' && value !== null ? value : { fields: value }, withheld: copying.withheld };
}

function copy(value: unknown, copying: Copying): unknown {
  switch (typeof value) {
    case 'object':
      return value === null ? null : copyObject(value, copying);
    case 'string':
      return copyText(value, copying);
    case 'number': {
      const written = copyText(String(value), copying);
      return written === String(value) ? value : written;
    }
    case 'bigint':
    case 'symbol':
      return copyText(String(value), copying);
    case 'boolean':
      return value;
    case 'function':
    case 'undefined':
      return undefined;
  }
}

function copyText(text: string, { redact }: Copying): string {
  const safe = redact(text);
  return safe.length > maxTextChars ? `${safe.slice(0, maxTextChars)}… (${safe.length} characters)` : safe;
}

function copyObject(value: object, copying: Copying): unknown {
  const { above } = copying;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no date' : value.toISOString();
  if (value instanceof URL) return copyText(value.href, copying);
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (above.has(value)) return '(circular)';
  if (above.size > maxDepth) return '(deeper)';
  above.add(value);
  try {
    if (value instanceof Error) return copyError(value, copying);
    if (value instanceof Map || value instanceof Headers) return copyEntries(value, copying);
    if (value instanceof Set) return copyItems([...value], copying);
    if (Array.isArray(value)) return copyItems(value, copying);
    return copyEntries(Object.entries(value), copying);
  } catch {
    return '(unreadable)'; // a getter or a proxy threw
  } finally {
    above.delete(value);
  }
}

function copyItems(items: readonly unknown[], copying: Copying): unknown[] {
  return items.slice(0, maxEntries).map((item) => copy(item, copying));
}

function copyEntries(entries: Iterable<readonly [unknown, unknown]>, copying: Copying): Record<string, unknown> {
  const first = Array.from(entries).slice(0, maxEntries);
  return Object.fromEntries(
    first.map(([key, value]) => {
      const name = String(key);
      if (typeof value === 'string' && secretFields.test(name)) return [name, hidden];
      // A plain word names a field: it stays, also where somebody's password is the same word.
      return [plainWord.test(name) ? name : copyText(name, copying), copy(value, copying)];
    }),
  );
}

/** What stands in these is a secret, whatever it is. */
const secretFields = /^((proxy-)?authorization|(x-)?api-?key|password|(set-)?cookie)$/i;
const plainWord = /^[a-z]{1,40}$/i;

function copyError(error: Error, copying: Copying): Record<string, unknown> {
  const shown = error instanceof BotError || copying.foreignWords || isEngineError(error);
  const causeShown = error.cause === undefined || error.cause instanceof Error || copying.foreignWords;
  if (!shown || !causeShown) copying.withheld = true;
  const fields = {
    type: error.name,
    ...(shown ? { message: error.message } : {}),
    ...codes(error),
    stack: frames(error),
    ...(error instanceof AggregateError ? { errors: error.errors } : {}),
    cause: causeShown ? error.cause : `(a ${typeof error.cause})`,
  };
  return copyEntries(Object.entries(fields), copying);
}

/** What names the failure without quoting anything. */
const codeNames = ['kind', 'retryAt', 'code', 'errno', 'errcode', 'syscall', 'address', 'port', 'status', 'signal'];

function codes(error: Error): Record<string, unknown> {
  const known = Object.entries(error).filter(([name]) => codeNames.includes(name));
  return Object.fromEntries(known.filter(([, value]) => typeof value === 'string' || typeof value === 'number'));
}

/** The JavaScript engine's own complaints name things in the source; with a `code` they are Node's, which quote values. */
function isEngineError(error: Error): boolean {
  return ['TypeError', 'RangeError', 'ReferenceError'].includes(error.name) && !('code' in error);
}

/** Where it happened. The lines before the first frame repeat the message. */
function frames(error: Error): string | undefined {
  const lines = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return lines.length === 0 ? undefined : lines.slice(0, maxFrames).join('\n');
}

const hidden = '[redacted]';

/** A shorter one stands in ordinary words as well: "x", as some put for a server that wants any key, in "next". */
const minSecretChars = 8;

/**
 * Hides the given secrets in every spelling they travel in, the short ones only as a whole credential, and the
 * credentials of any address.
 */
function createRedact(secrets: readonly string[]): (text: string) => string {
  const parts = secrets.flatMap(withParts).filter((secret) => secret !== '');
  const long = parts.filter((secret) => secret.length >= minSecretChars);
  const spellings = new Set(long.flatMap((secret) => [secret, ...base64Cores(secret)]));
  const known = toPattern(spellings, (sources) => sources);
  const short = new Set(parts.filter((secret) => secret.length < minSecretChars));
  const credential = toPattern(short, (sources) => `(?<=\\b(?:Bearer|Basic|Bot) )(?:${sources})(?=$|[\\s"',;\\\\])`);
  return (text) => {
    const safe = text.replace(known, hidden).replace(credential, hidden);
    return safe.replace(/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"'<>]*@/gi, `$1${hidden}@`);
  };
}

/** The longest first; of none, what no text matches. */
function toPattern(secrets: ReadonlySet<string>, frame: (sources: string) => string): RegExp {
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.length === 0 ? '(?!)' : frame(longestFirst.map(toSource).join('|')), 'g');
}

/** The password inside an address is a secret of its own: an error may tell it without the rest. */
function withParts(secret: string): string[] {
  const url = URL.parse(secret);
  if (url === null || url.password === '') return [secret];
  return [secret, url.password, decoded(url.password)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray %: it stands for itself
  }
}

/**
 * The characters a secret alone decides when base64 text holds it somewhere (`Basic` of `user:password`): for each of
 * the three places in a group where it can begin, without the characters it shares with its neighbours.
 */
function base64Cores(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const first = Math.ceil((before * 8) / 6);
    return encoded.slice(first, Math.floor(((before + bytes.length) * 8) / 6));
  });
}

/** Each character as itself, percent-encoded, escaped as in JSON (once or twice), or as base64's URL alphabet has it. */
function toSource(secret: string): string {
  return Array.from(secret, (character) => {
    const percent = Array.from(Buffer.from(character), (byte) => `%${eitherCase(byte)}`).join('');
    const json = JSON.stringify(character).slice(1, -1);
    const twice = JSON.stringify(json).slice(1, -1);
    const others = character === ' ' ? ['+'] : character === '+' ? ['-'] : character === '/' ? ['_', '\\/'] : [];
    const spelt = new Set(
      [twice, json, character, ...others].map((one) => one.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')),
    );
    return `(?:${[...spelt, percent].join('|')})`;
  }).join('');
}

function eitherCase(byte: number): string {
  const hex = byte.toString(16).padStart(2, '0');
  return hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}
