import type { APIMessage } from 'discord-api-types/v10';
import { type DiscordOptions, discordToken, startDiscordServer } from '../sim/discord.ts';
import type { Place } from '../sim/discord-world.ts';
import { type ModelServerOptions, startModelServer } from '../sim/model-server.ts';
import { newFolder, type Program, startProgram } from './program.ts';

/** The real program between a Discord and a model server of our own. */

export type Stage = Awaited<ReturnType<typeof setStage>>;

interface StageOptions {
  discord?: DiscordOptions;
  answer?: NonNullable<ModelServerOptions['answer']>;
  env?: Record<string, string>;
  /** By default the program is started. */
  start?: boolean;
}

export async function setStage(t: { after(run: () => Promise<void> | void): void }, options: StageOptions = {}) {
  const discord = await startDiscordServer(options.discord);
  const model = await startModelServer(options.answer === undefined ? {} : { answer: options.answer });
  const guild = discord.world.addGuild();
  const channel = discord.world.addChannel(guild, 'general');
  const folder = newFolder(t);
  const programs: Program[] = [];
  const env = {
    DATA_DIR: folder,
    DISCORD_BOT_TOKEN: discordToken,
    DISCORD_API_URL: discord.url,
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: 'test-key-0123456789',
    OPENAI_MODEL: 'gpt-4.1-mini',
    ...options.env,
  };

  async function start(more: Record<string, string> = {}): Promise<Program> {
    const before = discord.gateway.counts.identified;
    const program = startProgram({ args: [], env: { ...env, ...more } });
    programs.push(program);
    const ended = program.ended.then((code) => {
      throw new Error(`the program ended with ${code}: ${program.errors()} ${program.output()}`);
    });
    const commanded = discord.until(
      () => discord.gateway.counts.identified > before && discord.state.commands.length > 0,
      'the program is connected',
    );
    await Promise.race([commanded, ended]);
    ended.catch(() => undefined);
    return program;
  }

  t.after(async () => {
    for (const program of programs) program.child.kill('SIGKILL');
    await discord.close();
    await model.close();
  });
  if (options.start !== false) await start();

  return {
    discord,
    model,
    guild,
    channel,
    env,
    start,
    ann: discord.world.addPerson('Ann'),
    ben: discord.world.addPerson('Ben'),
    program: (): Program => {
      const last = programs.at(-1);
      if (last === undefined) throw new Error('nothing was started');
      return last;
    },

    /** The pieces of the answer to a message as they stand when it is done: Retry is offered under the last. */
    async answerTo(place: Place, message: APIMessage, ms = 15_000): Promise<APIMessage[]> {
      return await discord.until(
        () => {
          const pieces = piecesOf(discord.posts(place), message.id);
          return JSON.stringify(pieces.at(-1)?.components ?? []).includes('do:retry') ? pieces : undefined;
        },
        `“${message.content.slice(0, 40)}” is answered`,
        ms,
      );
    },

    /** What the model was asked, by its number from 1. */
    prompt(n: number): string {
      return JSON.stringify(model.requests[n - 1]?.messages.map((one) => one.text) ?? []);
    },
  };
}

export function piecesOf(posts: readonly APIMessage[], question: string): APIMessage[] {
  const silent = 1 << 12;
  return posts.filter((one) => one.message_reference?.message_id === question && ((one.flags ?? 0) & silent) === 0);
}

export function textOf(messages: readonly APIMessage[]): string {
  return messages.map((one) => one.content).join('\n');
}

/** The fence left open at the end of a message; the one Discord would show the rest of the channel in. */
export function openFence(content: string): string | undefined {
  let open: string | undefined;
  for (const line of content.split('\n')) {
    const [, fence = '', info = ''] = /^ {0,3}(`{3,})(.*)$/.exec(line) ?? [];
    if (fence === '') continue;
    if (open === undefined) open = fence;
    else if (fence.length >= open.length && info.trim() === '') open = undefined;
  }
  return open;
}
