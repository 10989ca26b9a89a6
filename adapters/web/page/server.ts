/** Requests to the program. What it refuses has a sentence for people. */

class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Method = 'POST' | 'PATCH' | 'DELETE';

export async function get<T>(path: string): Promise<T> {
  const response = await request(path, { headers: { accept: 'application/json' } });
  const body: T = await response.json();
  return body;
}

export async function send<T = void>(method: Method, path: string, body: object = {}): Promise<T> {
  const headers = { 'content-type': 'application/json', 'x-channelore': '1' };
  return answerOf<T>(await request(path, { method, headers, body: JSON.stringify(body) }));
}

export async function sendFile<T>(path: string, file: Blob): Promise<T> {
  const headers = { 'content-type': file.type || 'application/octet-stream', 'x-channelore': '1' };
  return answerOf<T>(await request(path, { method: 'POST', headers, body: file }));
}

export function channelPath(key: string, rest = ''): string {
  return `/api/channels/${encodeURIComponent(key)}${rest}`;
}

export function memoryPath(key: string, rest = ''): string {
  return `/api/memory/${encodeURIComponent(key)}${rest}`;
}

/** New for every thing that is sent, so that sending it again is the same thing. */
export function newId(): string {
  return crypto.randomUUID();
}

/** The program understood it and said no: asking again changes nothing. */
export function isRefused(error: unknown): boolean {
  return error instanceof Refusal && error.status < 500;
}

/** The sentence for whatever was thrown. */
export function problemOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  return 'Can’t reach the server.';
}

async function request(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { credentials: 'same-origin', ...init });
  if (response.ok) return response;
  if (response.status === 401) location.assign('/login');
  throw new Refusal(response.status, await sentenceOf(response));
}

async function answerOf<T>(response: Response): Promise<T> {
  // Where nothing is to be told there is no body, or a page for people without this one.
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
  const body: T = isJson ? await response.json() : undefined;
  return body;
}

async function sentenceOf(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body === 'object' && body !== null && 'problem' in body && typeof body.problem === 'string')
    return body.problem;
  return `The program answered with status ${response.status}.`;
}
