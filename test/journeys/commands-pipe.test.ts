import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemText } from '../../src/conversation/wire.ts';
import { newFolder, startProgram } from './program.ts';

/** The commands as they read in a terminal, with nothing configured. */

async function chat(t: { after(run: () => void): void }, lines: string[]): Promise<string> {
  const folder = newFolder(t);
  const program = startProgram({ args: ['chat'], env: { DATA_DIR: folder }, cwd: folder });
  program.child.stdin?.end(lines.map((line) => `${line}\n`).join(''));
  assert.equal(await program.ended, 0, program.errors());
  // What depends on the day, and on how the demo model talks.
  return program
    .output()
    .replace(/\d{4}-\d\d-\d\d( \d\d:\d\d)?/g, 'DATE')
    .replace(/^Arr![\s\S]*?a real model answers\.$/m, 'ANSWER');
}

test('the first things one tries read well', async (t) => {
  const output = await chat(t, [
    '/role set You are a pirate.',
    'hello',
    '/usage',
    '/memory show',
    '/reset',
    '/undo',
    '/help',
    'q',
  ]);
  const [before = '', help = ''] = output.split('`/role show`');
  assert.equal(
    before.replace(/\d+`$/gm, 'N`').replace(/ +N/g, ' N'),
    [
      '🎭 You set the role: You are a pirate.',
      'ANSWER',
      'Usage today (DATE), by person',
      '```',
      'person   prompt cache compl. summ. cost',
      'you         101     0     47    0%   $0',
      'total       101     0     47    0%   $0',
      '```',
      'Prices as of DATE.',
      '**What I remember here** (of 12000 tokens; model demo)',
      '`role       ░░░░░░░░░░░░░░░░░░░░ N`',
      '`summaries  ░░░░░░░░░░░░░░░░░░░░ N`',
      '`messages   ░░░░░░░░░░░░░░░░░░░░ N`',
      '`next       ░░░░░░░░░░░░░░░░░░░░ N`',
      '`room left  ████████████████████ N`',
      '2 messages word for word, 0 summaries.',
      'Who spoke: you (1), me (1).',
      '✏️ DATE UTC: you set the role: You are a pirate.',
      'system: You are a pirate.',
      '',
      `${systemText('', true).trim()}`,
      'user: <now>Tuesday DATE UTC</now>',
      'user: hello',
      'assistant: Arr! Hello! Tell me something, and ask me about it later.',
      '',
      'I am the demo model: no language model, I only find and quote what was said here. With OPENAI_API_KEY set, a real model answers.',
      '🧹 You reset my memory of our conversation. The role stays; `undo` brings the memory back.',
      '[Undo: /undo]',
      '↩️ You brought back what the last reset had put away.',
      '',
    ].join('\n'),
  );
  assert.match(help, /^ Shows the role I play in this channel\n/);
  assert.match(help, /\n`\/settings clear <name>` .+\n/);
  assert.match(help, /\n`\/[a-z]+ [^`]+` .+\n$/, 'and nothing after the last command');
});

test('what cannot be undone, what goes wrong, and files', async (t) => {
  const output = await chat(t, [
    'hello',
    '/forget last 1',
    '/forget last 1 confirm',
    '/memory export',
    '/settings set temperature 3',
    '/rolle',
    '/retry',
    '/stop',
    'q',
  ]);
  const [, after = ''] = output.split('a real model answers.\n');
  assert.equal(
    after,
    [
      '`/forget last 1` cannot be undone: it erases for good, from my summaries too. What other people wrote about it in their own words stays, and so do my answers to them.',
      '[Yes, erase it: /forget last 1 confirm]',
      '🗑️ I have forgotten the last message, answers included. What others wrote about it in their own words stays, and so do my answers to them.',
      'Everything recorded here: 0 messages, 0 summaries.',
      'Saved as memory.json',
      'Saved as memory.md',
      '⚠️ The setting temperature must be a number from 0 to 2, not "3".',
      '⚠️ There is no command "rolle". Did you mean `/role`? `/help` lists them all.',
      '⚠️ There is no question here to answer again.',
      '⚠️ There is no answer being written here just now.',
      '',
    ].join('\n'),
  );
});
