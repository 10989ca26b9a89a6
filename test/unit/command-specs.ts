import type { CommandSpec } from '../../src/commands/command.ts';

/** A list of commands like the program's, without what runs them. */

const plain = {
  help: '',
  options: [],
  who: 'anyone',
  restrictable: false,
  public: false,
  confirm: false,
  urgent: false,
  audited: 'nothing',
} as const;

export const settingChoices = ['model', 'temperature', 'top_p', 'stop', 'logit_bias', 'listen'];
const name = { name: 'name', help: 'which setting', required: true, kind: 'text', choices: settingChoices } as const;

export const specs: readonly CommandSpec[] = [
  { ...plain, path: ['role', 'show'], help: 'shows the role', restrictable: true },
  {
    ...plain,
    path: ['role', 'set'],
    help: 'sets the role',
    options: [{ name: 'text', help: 'what I am to be', required: true, rest: true, kind: 'text', maxChars: 2_000_000 }],
    restrictable: true,
    public: true,
  },
  { ...plain, path: ['role', 'clear'], help: 'goes back to the usual role', restrictable: true, public: true },
  { ...plain, path: ['reset'], help: 'starts anew', restrictable: true, public: true, urgent: true },
  { ...plain, path: ['undo'], help: 'brings back what the last reset put away', restrictable: true },
  {
    ...plain,
    path: ['forget', 'last'],
    help: 'erases your last messages',
    options: [{ name: 'n', help: 'how many', required: true, kind: 'number' }],
    confirm: true,
    urgent: true,
  },
  { ...plain, path: ['forget', 'me'], help: 'erases all you wrote', confirm: true, urgent: true },
  {
    ...plain,
    path: ['forget', 'user'],
    help: 'erases all that somebody wrote',
    options: [{ name: 'who', help: 'name or id', required: true, kind: 'person' }],
    who: 'admin',
    confirm: true,
    urgent: true,
  },
  { ...plain, path: ['forget', 'everything'], help: 'erases it all', who: 'admin', confirm: true, urgent: true },
  { ...plain, path: ['memory', 'show'], help: 'shows what I remember' },
  { ...plain, path: ['memory', 'prompt'], help: 'shows the next prompt', who: 'admin' },
  { ...plain, path: ['memory', 'export'], help: 'gives it as files', who: 'admin' },
  { ...plain, path: ['memory', 'rewrite'], help: 'has summaries written anew', who: 'admin' },
  {
    ...plain,
    path: ['usage'],
    help: 'what was spent',
    options: [
      { name: 'period', help: 'since when', required: false, kind: 'text', choices: ['today', 'week', 'month'] },
      {
        name: 'by',
        help: 'how divided',
        required: false,
        keyword: true,
        kind: 'text',
        choices: ['person', 'channel', 'model'],
      },
    ],
  },
  { ...plain, path: ['settings', 'show'], help: 'shows the settings' },
  {
    ...plain,
    path: ['settings', 'set'],
    help: 'changes a setting',
    options: [name, { name: 'value', help: 'its value', required: true, rest: true, kind: 'text' }],
    who: 'admin',
  },
  { ...plain, path: ['settings', 'clear'], help: 'unsets a setting', options: [name], who: 'admin' },
  { ...plain, path: ['stop'], help: 'ends the answer', who: 'asker', urgent: true },
  { ...plain, path: ['retry'], help: 'answers again', who: 'asker' },
  { ...plain, path: ['help'], help: 'this list' },
];

export function specOf(wanted: string): CommandSpec {
  const found = specs.find((spec) => spec.path.join(' ') === wanted);
  if (found === undefined) throw new RangeError(`no ${wanted}`);
  return found;
}
