import { describeCommands } from '../journeys/slack-commands.ts';

await describeCommands('http');
