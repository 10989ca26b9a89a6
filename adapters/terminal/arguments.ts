import { parseArgs } from 'node:util';
import { BotError } from '../../src/errors.ts';

export interface ChatArguments {
  /** JSON lines for another program instead of a conversation for a person. */
  json: boolean;
  channel: string;
  /** Whose words they are. */
  as: string;
}

const usage = 'npm run chat -- [--json] [--channel NAME] [--as NAME]';

export function parseArguments(argv: readonly string[]): ChatArguments {
  const options = {
    json: { type: 'boolean', default: false },
    channel: { type: 'string', default: 'main' },
    as: { type: 'string', default: 'me' },
  } as const;
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false });
    if (values.channel.trim() !== '' && values.as.trim() !== '') return values;
  } catch (cause) {
    throw new BotError('config', `these arguments are not known; what there is: ${usage}`, { cause });
  }
  throw new BotError('config', `--channel and --as need a name: ${usage}`);
}
