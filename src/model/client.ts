import { OpenAI } from 'openai';
import { fetchFromApi } from './transport.ts';

/** A server that speaks OpenAI's API, and in whose name it is asked. */
export interface ApiServer {
  /** Absent: no Authorization header is sent. */
  apiKey: string | undefined;
  /** Absent: OpenAI's own. */
  baseUrl: string | undefined;
  organization?: string | undefined;
  project?: string | undefined;
}

export function createClient(server: ApiServer, timeout: number, fetch: typeof fetchFromApi = fetchFromApi): OpenAI {
  const { apiKey, baseUrl, organization, project } = server;
  return new OpenAI({
    apiKey: apiKey ?? 'none',
    ...(apiKey === undefined ? { defaultHeaders: { Authorization: null } } : {}),
    baseURL: baseUrl ?? 'https://api.openai.com/v1',
    // Left out, the SDK would look for them in the environment.
    organization: organization ?? null,
    project: project ?? null,
    maxRetries: 0,
    timeout,
    // It would write to the console, what people said included.
    logLevel: 'off',
    fetch,
  });
}
