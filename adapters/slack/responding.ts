import { BotError } from '../../src/errors.ts';
import type { Body } from './api.ts';

/** The address that comes with a command: what is sent there is seen by whoever gave it, and by nobody else. */
export interface Responding {
  /** False where Slack takes nothing there any more. */
  respond(url: string, body: Body, replaces: boolean): Promise<boolean>;
}

const requestMs = 10_000;
const overStatuses = [403, 404, 410];
const passesInMs = 5000;

export function createResponding(now: () => number): Responding {
  return {
    async respond(url, { text, blocks }, replaces) {
      const body = JSON.stringify({ response_type: 'ephemeral', replace_original: replaces, text, blocks });
      const headers = { 'content-type': 'application/json' };
      const signal = AbortSignal.timeout(requestMs);
      try {
        const response = await fetch(url, { method: 'POST', body, headers, redirect: 'error', signal });
        if (response.ok) return true;
        if (overStatuses.includes(response.status)) return false;
        throw new Error(`answered ${response.status}`);
      } catch (cause) {
        const again = { retryAt: now() + passesInMs };
        throw new BotError('platform', 'Slack did not take the answer to a command', { cause, ...again });
      }
    },
  };
}
