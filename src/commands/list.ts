import type { OptionSpec } from './command.ts';
import type { Command } from './context.ts';
import { chooseAlternative, showAlternatives } from './run-alternatives.ts';
import { retry, stop } from './run-answer.ts';
import { checkForgetLast, checkForgetUser, forgetEverything, forgetLast, forgetMe, forgetUser } from './run-forget.ts';
import { showHelp } from './run-help.ts';
import { exportMemory, reset, rewriteMemory, showMemory, showPrompt, undo } from './run-memory.ts';
import { clearRole, setPreset, setRole, showRole } from './run-role.ts';
import { searchMemory } from './run-search.ts';
import { clearSetting, setSetting, showSettings } from './run-settings.ts';
import { showUsage } from './run-usage.ts';
import { settingNames } from './settings.ts';

/** The one list: every platform's commands, help and completion come from it. */

const plain = { options: [], who: 'anyone', restrictable: true, public: false, confirm: false, urgent: false } as const;

const settingName: OptionSpec = {
  name: 'name',
  help: 'which setting; with workspace. before it, for all channels of the workspace',
  required: true,
  kind: 'text',
  // Who is listened to must be told so, in each channel.
  choices: settingNames.flatMap((name) => (name === 'listen' ? [name] : [name, `workspace.${name}`])),
};

export const commands: readonly Command[] = [
  {
    ...plain,
    path: ['role', 'show'],
    audited: 'nothing',
    help: 'Shows the role I play in this channel',
    run: showRole,
  },
  {
    ...plain,
    path: ['role', 'set'],
    audited: 'role',
    help: 'Gives me a role in this channel',
    options: [{ name: 'text', help: 'what I am to be', required: true, rest: true, kind: 'text', maxChars: 100_000 }],
    public: true,
    run: setRole,
  },
  {
    ...plain,
    path: ['role', 'preset'],
    audited: 'role',
    help: 'Gives me one of the roles that are ready to be chosen',
    options: [{ name: 'preset', help: 'which one; role show lists them', required: true, kind: 'text', live: true }],
    public: true,
    run: setPreset,
  },
  {
    ...plain,
    path: ['role', 'clear'],
    audited: 'role',
    help: 'Goes back to the usual role',
    public: true,
    run: clearRole,
  },
  {
    ...plain,
    path: ['reset'],
    audited: 'reset',
    help: 'Starts with a fresh memory, here and in the threads of this channel; the role stays',
    public: true,
    urgent: true,
    run: reset,
  },
  {
    ...plain,
    path: ['undo'],
    audited: 'undo',
    help: 'Brings back what the last reset put away',
    public: true,
    urgent: true,
    run: undo,
  },
  {
    ...plain,
    path: ['forget', 'last'],
    audited: 'erasure',
    help: 'Erases your last messages and my answers; for an admin, the last of anybody',
    options: [{ name: 'n', help: 'how many', required: true, kind: 'number' }],
    confirm: true,
    urgent: true,
    check: checkForgetLast,
    run: forgetLast,
  },
  {
    ...plain,
    path: ['forget', 'me'],
    audited: 'erasure',
    help: 'Erases everything you wrote, in every channel here',
    confirm: true,
    urgent: true,
    run: forgetMe,
  },
  {
    ...plain,
    path: ['forget', 'user'],
    audited: 'erasure',
    help: 'Erases everything a person wrote, in every channel here',
    options: [{ name: 'who', help: 'the name as I show it, or the id', required: true, kind: 'person' }],
    who: 'admin',
    confirm: true,
    urgent: true,
    check: checkForgetUser,
    run: forgetUser,
  },
  {
    ...plain,
    path: ['forget', 'everything'],
    audited: 'erasure',
    help: 'Erases everything that was said in this channel and its threads',
    who: 'admin',
    confirm: true,
    urgent: true,
    run: forgetEverything,
  },
  {
    ...plain,
    path: ['memory', 'show'],
    audited: 'nothing',
    help: 'What I remember here, and what it costs',
    run: showMemory,
  },
  {
    ...plain,
    path: ['memory', 'search'],
    audited: 'nothing',
    help: 'Finds what was said here at any time; “page 2” at the end goes on',
    options: [{ name: 'words', help: 'what to look for', required: true, rest: true, kind: 'text', maxChars: 500 }],
    run: searchMemory,
  },
  {
    ...plain,
    path: ['memory', 'prompt'],
    audited: 'read',
    help: 'The exact next prompt',
    who: 'admin',
    run: showPrompt,
  },
  {
    ...plain,
    path: ['memory', 'export'],
    audited: 'export',
    help: 'Everything recorded here, as JSON and Markdown',
    who: 'admin',
    run: exportMemory,
  },
  {
    ...plain,
    path: ['memory', 'rewrite'],
    audited: 'rewrite',
    help: 'Has the summaries written anew from the messages',
    who: 'admin',
    run: rewriteMemory,
  },
  {
    ...plain,
    path: ['usage'],
    audited: 'nothing',
    help: 'Tokens and cost: your own, for admins everybody’s',
    options: [
      { name: 'period', help: 'since when', required: false, kind: 'text', choices: ['today', 'week', 'month'] },
      {
        name: 'by',
        help: 'how it is divided',
        required: false,
        keyword: true,
        kind: 'text',
        choices: ['person', 'channel', 'model', 'kind', 'day'],
      },
    ],
    run: showUsage,
  },
  { ...plain, path: ['settings', 'show'], audited: 'nothing', help: 'The settings that hold here', run: showSettings },
  {
    ...plain,
    path: ['settings', 'set'],
    audited: 'setting',
    help: 'Changes a setting of this channel',
    options: [
      settingName,
      { name: 'value', help: 'its value', required: true, rest: true, kind: 'text', live: true, maxChars: 10_000 },
    ],
    who: 'admin',
    run: setSetting,
  },
  {
    ...plain,
    path: ['settings', 'clear'],
    audited: 'setting',
    help: 'Goes back to what holds otherwise',
    options: [settingName],
    who: 'admin',
    run: clearSetting,
  },
  {
    ...plain,
    path: ['stop'],
    audited: 'nothing',
    help: 'Ends the answer being written',
    who: 'asker',
    restrictable: false,
    urgent: true,
    run: stop,
  },
  { ...plain, path: ['retry'], audited: 'nothing', help: 'Answers the last question again', who: 'asker', run: retry },
  {
    ...plain,
    path: ['alternatives', 'show'],
    audited: 'nothing',
    help: 'The answers that the last question was given, one for each retry',
    run: showAlternatives,
  },
  {
    ...plain,
    path: ['alternatives', 'choose'],
    audited: 'nothing',
    help: 'Lets another of these answers count',
    options: [
      { name: 'n', help: 'which one, as the list numbers them', required: true, kind: 'number' },
      { name: 'message', help: 'the number of the question; otherwise the last', required: false, kind: 'number' },
    ],
    who: 'asker',
    run: chooseAlternative,
  },
  { ...plain, path: ['help'], audited: 'nothing', help: 'This list', restrictable: false, run: showHelp },
];
