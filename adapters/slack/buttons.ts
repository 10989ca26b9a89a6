import type { types } from '@slack/bolt';
import type { Action } from '../../src/event.ts';
import { neutralised } from './markdown.ts';
import { isTs } from './wire.ts';

/** Buttons say what they stand for, and where, in their own ids, so that they work after a restart, too. */

const maxValueChars = 2000;
const maxLabelChars = 75;
const maxButtons = 5;
const prefix = 'do';
const none = '-';

/** What the buttons of a message are about. */
export interface About {
  /** The thread whose conversation it is; nothing for the channel's. */
  thread: string | undefined;
  /** The message that was answered. */
  question: string | undefined;
}

export function toActions(actions: readonly Action[], about: About): types.ActionsBlock[] {
  const fitting = actions.filter(fits).slice(0, maxButtons);
  if (fitting.length === 0) return [];
  const elements = fitting.map(({ label, command }, n): types.Button => {
    const style = /\bconfirm$/.test(command) ? { style: 'danger' as const } : {};
    const text = { type: 'plain_text' as const, text: neutralised(label).slice(0, maxLabelChars) };
    return { type: 'button', text, action_id: `${prefix}:${n}`, value: command, ...style };
  });
  return [{ type: 'actions', block_id: [prefix, about.thread ?? none, about.question ?? none].join(':'), elements }];
}

/** What is too long for a button is offered in words. */
export function toLines(actions: readonly Action[]): string {
  return actions
    .filter((action) => !fits(action))
    .map(({ label, command }) => `\n${label}: mention me with \`/${command}\``)
    .join('');
}

export function readAbout(blockId: string): About | undefined {
  const [kind, thread, question] = blockId.split(':');
  if (kind !== prefix || thread === undefined || question === undefined) return undefined;
  if ([thread, question].some((part) => part !== none && !isTs(part))) return undefined;
  const given = (part: string): string | undefined => (part === none ? undefined : part);
  return { thread: given(thread), question: given(question) };
}

function fits({ command }: Action): boolean {
  return command.length <= maxValueChars;
}
