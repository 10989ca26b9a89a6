import { describeCommands } from './slack-commands.ts';

await describeCommands('socket');
