import { startTerminal } from '../../adapters/terminal/terminal.ts';
import { createCore, echo, noLog, notice, wordsOf } from './adapter-terminal.ts';

/** The terminal adapter on this process's own terminal, for the test that gives it a real one. */
let stop = (): void => {};
const core = createCore(async (event, reply) => {
  if (wordsOf(event) === '/stop') {
    stop();
    await reply.say('stopped', notice('Stopping.'));
  } else if (wordsOf(event) === 'talk for ever') {
    await reply.write({ index: 0, text: 'La la', done: false, last: false, actions: [] });
    await new Promise<void>((resolve) => {
      stop = resolve;
    });
    await reply.write({ index: 0, text: 'La la (stopped)', done: true, last: true, actions: [] });
  } else {
    await echo(event, reply);
  }
});

await startTerminal({
  openIntake: core.openIntake,
  input: process.stdin,
  output: process.stdout,
  isTerminal: process.stdin.isTTY === true,
  color: true,
  defaultRole: 'You are kind.',
  complete: () => [],
  user: { id: 'u', name: 'Ann' },
  channel: 'main',
  filesDir: '.',
  log: noLog,
  now: Date.now,
  onClosed: () => {
    process.exitCode = 3;
  },
});
