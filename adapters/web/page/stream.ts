/**
 * Server-sent events, read by hand: the browser's own reader neither grows its pauses nor notices a connection that is
 * silently dead, and gives up on the first refusal.
 */

export type Link = 'connecting' | 'live' | 'lost' | 'refused';

interface StreamHandlers {
  onEvent(name: string, data: string): void;
  onLink(link: Link): void;
}

export interface Stream {
  close(): void;
}

const firstPauseMs = 500;
const longestPauseMs = 15_000;

/** The server says something, if only a comment, more often than this. */
const silenceMs = 45_000;

/** A page in the background gives its connection back: a browser has only six of them for all pages together. */
const hiddenMs = 60_000;

export function openStream(url: string, handlers: StreamHandlers): Stream {
  const closing = new AbortController();
  let lastId = '';
  let pauseMs = firstPauseMs;
  let wake = () => {};

  const wakeUp = () => wake();
  addEventListener('online', wakeUp);

  let hiding: ReturnType<typeof setTimeout> | undefined;
  let drop = () => {};
  const onVisibility = () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(() => drop(), hiddenMs);
    else wake();
  };
  document.addEventListener('visibilitychange', onVisibility);

  void run();

  return {
    close() {
      closing.abort();
      removeEventListener('online', wakeUp);
      document.removeEventListener('visibilitychange', onVisibility);
      clearTimeout(hiding);
      wake();
    },
  };

  async function run(): Promise<void> {
    handlers.onLink('connecting');
    while (!closing.signal.aborted) {
      const outcome = await connect().catch(() => 'broken' as const);
      if (closing.signal.aborted) return;
      if (outcome === 'refused') {
        handlers.onLink('refused');
        return;
      }
      if (document.hidden) await shown();
      else {
        handlers.onLink('lost');
        await pause();
      }
    }
  }

  /** Until the connection ends. */
  async function connect(): Promise<'ended' | 'refused'> {
    const attempt = new AbortController();
    const giveUp = () => attempt.abort();
    drop = giveUp;
    closing.signal.addEventListener('abort', giveUp);
    addEventListener('offline', giveUp);
    let watchdog = setTimeout(giveUp, silenceMs);
    try {
      const response = await fetch(url, {
        headers: { accept: 'text/event-stream', ...(lastId === '' ? {} : { 'last-event-id': lastId }) },
        signal: attempt.signal,
        cache: 'no-store',
      });
      if (response.status === 401) location.assign('/login');
      if (response.status >= 400 && response.status < 500 && response.status !== 429) return 'refused';
      if (!response.ok || response.body === null) return 'ended';
      pauseMs = firstPauseMs;
      handlers.onLink('live');
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const take = createParser((event) => {
        if (event.id !== '') lastId = event.id;
        if (event.data !== '') handlers.onEvent(event.name, event.data);
      });
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return 'ended';
        clearTimeout(watchdog);
        watchdog = setTimeout(giveUp, silenceMs);
        take(value);
      }
    } finally {
      clearTimeout(watchdog);
      removeEventListener('offline', giveUp);
      closing.signal.removeEventListener('abort', giveUp);
    }
  }

  async function shown(): Promise<void> {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }

  async function pause(): Promise<void> {
    const waitMs = pauseMs * (0.75 + Math.random() / 2);
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

interface ServerEvent {
  id: string;
  name: string;
  data: string;
}

/** Takes text as it comes, in whatever portions. */
function createParser(onEvent: (event: ServerEvent) => void): (text: string) => void {
  let rest: string[] = [];
  let event: ServerEvent & { lines: string[] } = { id: '', name: 'message', data: '', lines: [] };

  return (text) => {
    // A line may come in very many portions: they are joined once.
    const end = text.lastIndexOf('\n');
    if (end === -1) {
      rest.push(text);
      return;
    }
    const lines = (rest.join('') + text.slice(0, end)).split('\n');
    rest = [text.slice(end + 1)];
    for (const line of lines) takeLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  };

  function takeLine(line: string): void {
    if (line === '') {
      onEvent({ ...event, data: event.lines.join('\n') });
      event = { id: '', name: 'message', data: '', lines: [] };
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') event.id = value;
    if (field === 'event') event.name = value;
    if (field === 'data') event.lines.push(value);
  }
}
