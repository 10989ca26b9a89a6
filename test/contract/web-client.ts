import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { Person } from '../../adapters/web/wire.ts';

/** A browser as the server knows it: keeps its cookie, calls the API as the page does, reads the stream of events. */

interface CallOptions {
  method?: string;
  body?: unknown;
  /** Sent as it is, in place of `body`. */
  raw?: Uint8Array | string;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json(): unknown;
}

export interface WebClient {
  person(): Person;
  cookie(): string;
  call(path: string, options?: CallOptions): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
  follow(channel: string, lastEventId?: string): Promise<Follower>;
}

export interface Told {
  id: string;
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the server sends
  data: any;
}

export interface Follower {
  status: number;
  events: Told[];
  /** The id to go on from. */
  lastId(): string;
  isOver(): boolean;
  /** Without taking in what is sent. */
  pause(): void;
  resume(): void;
  close(): void;
}

export async function openClient(url: string, name: string, password?: string): Promise<WebClient> {
  const cookies = new Map<string, string>();
  const cookieHeader = (): string => [...cookies].map(([key, value]) => `${key}=${value}`).join('; ');
  let person: Person = { id: '', name };

  async function call(path: string, { method = 'GET', body, raw, headers = {} }: CallOptions = {}): Promise<Answer> {
    // A connection that is kept may be closed by the server the moment it is used again.
    const cookie: Record<string, string> = cookies.size === 0 ? {} : { cookie: cookieHeader() };
    const own: Record<string, string> = { connection: 'close', ...cookie, ...headers };
    if (method !== 'GET') own['x-channelore'] ??= '1';
    if (method !== 'GET') own.origin ??= url;
    if (body !== undefined) own['content-type'] ??= 'application/json';
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const init: RequestInit = { method, headers: own, redirect: 'manual' };
    const response = await fetch(url + path, sent === undefined ? init : { ...init, body: sent });
    for (const given of response.headers.getSetCookie()) {
      const [key = '', value = ''] = given.split(';')[0]?.split('=') ?? [];
      if (value === '') cookies.delete(key);
      else cookies.set(key, value);
    }
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
  }

  const client: WebClient = {
    person: () => person,
    cookie: cookieHeader,
    call,
    post: (path, body) => call(path, { method: 'POST', body }),
    follow: (channel, lastEventId) => follow(url, cookieHeader(), channel, lastEventId),
  };
  if (password !== undefined) {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    await call('/login', { method: 'POST', raw: new URLSearchParams({ password }).toString(), headers: form });
  }
  const named = await client.post('/api/me', { name });
  if (named.status === 200) {
    const me = named.json();
    assert.ok(typeof me === 'object' && me !== null && 'person' in me);
    person = me.person as Person;
  }
  return client;
}

async function follow(url: string, cookie: string, channel: string, lastEventId?: string): Promise<Follower> {
  const headers = { cookie, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) };
  const path = `/api/channels/${encodeURIComponent(channel)}/events`;
  const { promise, resolve, reject } = Promise.withResolvers<Follower>();
  const events: Told[] = [];
  let last = '';
  let over = false;
  let rest = '';
  const call = request(url + path, { headers, agent: false }, (response) => {
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(
          block.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]),
        );
        last = fields.get('id') ?? last;
        const data = fields.get('data');
        if (data !== undefined) events.push({ id: last, name: fields.get('event') ?? '', data: JSON.parse(data) });
      }
    });
    const end = (): void => {
      over = true;
    };
    response.on('end', end).on('error', end).on('close', end);
    resolve({
      status: response.statusCode ?? 0,
      events,
      lastId: () => last,
      isOver: () => over,
      pause: () => response.pause(),
      resume: () => response.resume(),
      close: () => call.destroy(),
    });
  });
  call.on('error', reject);
  call.end();
  return await promise;
}

export async function until<T>(check: () => T | undefined | false, what: string): Promise<T> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const found = check();
    if (found !== undefined && found !== false) return found;
    assert.ok(performance.now() < deadline, `it never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
