import {
  type APIActionRowComponent,
  type APIButtonComponentWithCustomId,
  ButtonStyle,
  ComponentType,
} from 'discord.js';
import type { Action } from '../../src/event.ts';

/** Buttons say what they stand for in their own id, so that they work after a restart, too. */

const prefix = 'do:';
const maxIdChars = 100;
const maxLabelChars = 80;
const maxInRow = 5;

export type Row = APIActionRowComponent<APIButtonComponentWithCustomId>;

export function toRows(actions: readonly Action[]): Row[] {
  const fitting = actions.filter(fits).slice(0, maxInRow);
  if (fitting.length === 0) return [];
  const buttons = fitting.map(({ label, command }) => ({
    type: ComponentType.Button as const,
    style: /\bconfirm$/.test(command) ? (ButtonStyle.Danger as const) : (ButtonStyle.Secondary as const),
    label: label.slice(0, maxLabelChars),
    custom_id: prefix + command,
  }));
  return [{ type: ComponentType.ActionRow, components: buttons }];
}

/** What is too long for a button is offered in words. */
export function toLines(actions: readonly Action[]): string {
  return actions
    .filter((action) => !fits(action))
    .map(({ label, command }) => `\n${label}: mention me with \`/${command}\``)
    .join('');
}

export function commandOf(customId: string): string | undefined {
  return customId.startsWith(prefix) ? customId.slice(prefix.length) : undefined;
}

function fits({ command }: Action): boolean {
  return prefix.length + command.length <= maxIdChars;
}
