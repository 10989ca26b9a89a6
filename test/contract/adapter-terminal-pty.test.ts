import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createEmulator } from '../unit/terminal-emulator.ts';
import { until } from './adapter-terminal.ts';

const program = fileURLToPath(new URL('./adapter-terminal-program.ts', import.meta.url));
const hasScript = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') === true;

test('on a real terminal a person is asked for the role, answered, can stop an answer, and ends with q', {
  skip: hasScript ? false : 'script(1) of util-linux gives the test its terminal, and is not here',
}, async (t) => {
  const shell = `stty cols 60 rows 20; '${process.execPath}' '${program}'; echo "ended with $?"; stty -a | grep -o -- '-\\?icanon'`;
  const child = spawn('script', ['-q', '-c', shell, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const emulator = createEmulator(60, 20);
  // The terminal driver has turned each line end into two characters.
  child.stdout.on('data', (chunk) => emulator.output.write(chunk.toString()));
  const type = (keys: string) => child.stdin.write(keys);
  const shows = (end: string) => until(() => emulator.seen().endsWith(end), emulator.seen);

  await shows('System role (Enter keeps: You are kind.):');
  type('You are a pirate.\r');
  await shows('done: /role set You are a pirate.\nuser:');
  type('hello\r');
  await shows('user: hello\nassistant: You said: hello\nuser:');
  type('talk for ever\r');
  await shows('assistant: La la');
  type('\u0003');
  await shows('(stopped)\nStopping.\nuser:');
  type('q\r');
  await shows('ended with 3\nicanon');
  if (child.exitCode === null) await once(child, 'exit');
});
