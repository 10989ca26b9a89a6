/**
 * Everything that can go wrong, in the words a person is told about it. Whoever meets a foreign error gives it one of
 * these kinds and keeps the original as `cause`; nobody decides by message text. A `BotError`'s message is always ours
 * and safe to show: foreign text, which may hold secrets, stays in `cause` and in the debug log.
 */
export type ErrorKind =
  | 'config' // a setting of the operator's is wrong
  | 'input' // what a person asked for or set cannot be understood, or is not there
  | 'forbidden' // a rule or a budget says no
  | 'store' // the memory cannot be read or written
  | 'damaged' // a part of the memory is not what was written
  | 'credentials' // the chat API does not accept the key
  | 'busy' // rate limit or quota: trying later helps
  | 'overflow' // the prompt is larger than the model's window
  | 'model' // the chat API failed, or answered nothing of use
  | 'tool' // what the model called failed
  | 'broken' // an answer ended in the middle
  | 'platform' // the chat platform refused or failed
  | 'stopped' // somebody, or a shutdown, ended it on purpose
  | 'bug'; // anything nobody foresaw

interface ErrorDetails {
  cause?: unknown;
  /** When trying again makes sense (ms since 1970). */
  retryAt?: number;
}

export class BotError extends Error {
  override readonly name = 'BotError';
  readonly kind: ErrorKind;
  readonly retryAt: number | undefined;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : {});
    this.kind = kind;
    this.retryAt = details.retryAt;
  }
}

/** Whether it was thrown in one of these packages, or below them. */
export function isThrownIn(error: unknown, packages: readonly string[]): boolean {
  const stack = error instanceof Error ? (error.stack ?? '').replaceAll('\\', '/') : '';
  return packages.some((name) => stack.includes(`/node_modules/${name}/`));
}

/** Gives anything thrown a kind; what has one already keeps it. */
export function toBotError(error: unknown): BotError {
  if (error instanceof BotError) return error;
  return new BotError('bug', 'something unexpected went wrong', { cause: error });
}

/** The one line a person reads. `now` decides how "try again in …" is put. */
export function userText(error: BotError, now: number): string {
  const wait = error.retryAt === undefined ? '' : ` Try again ${inWords(error.retryAt - now)}.`;
  switch (error.kind) {
    case 'input':
    case 'forbidden':
    case 'config':
      return `⚠️ ${sentence(error.message)}${wait}`;
    case 'store':
      return '⚠️ I cannot reach my memory just now, so I will not answer without it. Nothing was lost; try again in a minute.';
    case 'damaged':
      return '⚠️ A part of what I remember here is damaged, so I cannot answer from it. An admin finds in the log which.';
    case 'credentials':
      return '⚠️ The chat model refused my key. An admin must check OPENAI_API_KEY; trying again will not help before that.';
    case 'busy':
      return `⚠️ ${sentence(error.message)}${wait || ' Try again in a minute.'}`;
    case 'overflow':
      return '⚠️ This is more than the model can read at once, even after I shortened it. Send a shorter message, or ask an admin to lower MEMORY_TOKENS.';
    case 'model':
    case 'tool':
      return `⚠️ ${sentence(error.message)}${wait || ' Try again with `retry`.'}`;
    case 'broken':
      return '⚠️ The answer broke off before its end. What had arrived is kept; use `retry` for a new one.';
    case 'platform':
      return `⚠️ ${sentence(error.message)}${wait}`;
    case 'stopped':
      return `⏹️ ${sentence(error.message)}`;
    case 'bug':
      return '⚠️ Something went wrong on my side. It is in the log; try again with `retry`.';
  }
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}

function inWords(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 90) return `in ${seconds} s`;
  if (seconds < 5400) return `in ${Math.ceil(seconds / 60)} min`;
  return `in ${Math.ceil(seconds / 3600)} h`;
}
