import { type CommandSpec, usageLine } from './command.ts';

/** The list of commands for people: in chat, and in the README. */

/** Groups with an empty line between them; for others than admins without what only admins may. */
export function helpText(specs: readonly CommandSpec[], { admin }: { admin: boolean }): string[] {
  const visible = specs.filter((spec) => admin || spec.who !== 'admin');
  const groups = Map.groupBy(visible, groupOf(visible));
  return [...groups.values()].flatMap((group, index) => [
    ...(index === 0 ? [] : ['']),
    ...group.map((spec) => `\`${usageLine(spec)}\` ${spec.help}${spec.who === 'admin' ? ' (admins)' : ''}`),
  ]);
}

/** Commands that share a first word stand together, and so do all those that share it with none. */
function groupOf(specs: readonly CommandSpec[]): (spec: CommandSpec) => string {
  const sizes = new Map<string, number>();
  for (const { path } of specs) sizes.set(path[0] ?? '', (sizes.get(path[0] ?? '') ?? 0) + 1);
  return ({ path: [first = ''] }) => ((sizes.get(first) ?? 0) > 1 ? first : '');
}

/** The table of the README. */
export function commandTable(specs: readonly CommandSpec[]): string {
  const rows = specs.map((spec) => [`\`${usageLine(spec)}\``, whoMay(spec), whatItDoes(spec)]);
  return [['command', 'who', 'does'], ['---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function whoMay(spec: CommandSpec): string {
  if (spec.who === 'admin') return 'admins';
  const who = spec.who === 'asker' ? 'whoever asked, or an admin' : 'anyone';
  return spec.restrictable ? `${who}, unless restricted` : who;
}

function whatItDoes(spec: CommandSpec): string {
  const notes = [spec.public ? '*public*' : undefined, spec.confirm ? 'after a confirmation' : undefined];
  return [spec.help, ...notes.filter((note) => note !== undefined)].join('; ');
}
