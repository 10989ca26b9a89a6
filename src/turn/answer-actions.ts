import type { Action } from '../event.ts';

const retry: Action = { label: 'Retry', command: 'retry' };
const versions: Action = { label: 'Versions', command: 'alternatives show' };

/** What is offered under an answer. */
export function answerActions(hasVersions: boolean): Action[] {
  return hasVersions ? [retry, versions] : [retry];
}
