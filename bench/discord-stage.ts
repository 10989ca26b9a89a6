import { toChannelId } from '../src/event.ts';
import { discordToken, startDiscordServer } from '../test/sim/discord.ts';
import type { Program } from './process.ts';
import { createAnswers, type Stage } from './stage.ts';

/** A Discord with one bot in it; nothing is limited by rate, because one person could not ask that often. */
export async function setDiscord(count: number): Promise<Stage> {
  const discord = await startDiscordServer({ limits: { count: 1_000_000, windowMs: 1000 } });
  const guild = discord.world.addGuild();
  const ann = discord.world.addPerson('Ann');
  const places = Array.from({ length: count }, (_, n) => discord.world.addChannel(guild, `channel-${n}`));
  const answers = createAnswers((channel) => (discord.world.messages.get(channel) ?? []).slice(-3));
  let ending: string | undefined;
  discord.gateWith(({ method, path, body }, when) => {
    if (when !== 'after' || !path.includes('/messages')) return;
    const isLast = ending === 'buttons' ? JSON.stringify(body.components ?? '').includes('retry') : method === ending;
    if (isLast) answers.end(path.split('/')[2] ?? '');
  });
  return {
    name: 'discord',
    apiUrl: discord.url,
    env: { DISCORD_BOT_TOKEN: discordToken },
    ownEnv: { DISCORD_API_URL: discord.url },
    channels: places.map(({ id }) => toChannelId({ platform: 'discord', workspace: guild.id, channel: id })),

    async connect(_program: Program, last) {
      ending = last;
      // Commands are the last thing that this program sends before it listens.
      const isReady = () =>
        discord.gateway.counts.identified > 0 && (last !== 'buttons' || discord.state.commands.length > 0);
      await discord.until(isReady, 'the bot is connected', 30_000);
    },

    async ask(n, text) {
      const place = places[n % places.length];
      if (place === undefined) throw new Error('no such channel');
      const answered = answers.begin(place.id);
      discord.say(ann, place, `${discord.mention} ${text}`);
      await answered;
    },

    takeAcks() {
      discord.requests.length = 0;
      return [];
    },

    close: () => discord.close(),
  };
}
