import type { APIMessage } from 'discord-api-types/v10';
import { MessageFlags } from 'discord-api-types/v10';
import { startDiscord } from '../../adapters/discord/discord.ts';
import { commands } from '../../src/commands/list.ts';
import { createLog } from '../../src/log.ts';
import { splitAnswer } from '../../src/turn/split.ts';
import { buttonsOf, discordToken, startDiscordServer } from '../sim/discord.ts';
import type { Person, Place } from '../sim/discord-world.ts';
import { type AdapterHarness, describeAdapter, type Shown } from './adapter.ts';
import { describeTalk } from './adapter-talk.ts';

const discordHarness: AdapterHarness = {
  name: 'discord',
  pieceChars: 2000,

  async start(openIntake) {
    const discord = await startDiscordServer({ limits: { count: 100, windowMs: 1000 } });
    const guild = discord.world.addGuild();
    const channel = discord.world.addChannel(guild, 'general');
    const people = new Map<string, Person>();
    const where = new Map<string, { place: Place; message: APIMessage }>();
    const person = (name: string): Person => {
      const known = people.get(name) ?? discord.world.addPerson(name);
      people.set(name, known);
      return known;
    };
    const adapter = startDiscord({
      openIntake,
      log: createLog({ level: 'silent', format: 'json', secrets: [] }),
      now: Date.now,
      token: discordToken,
      apiUrl: discord.url,
      catchUpMs: 0,
      commands,
      valuesFor: () => [],
      split: splitAnswer,
      onStray() {},
      onFatal: (error) => {
        throw error;
      },
    });
    await discord.until(() => adapter.health().ready && discord.state.commands.length > 0, 'it is connected');

    const placed = (id: string): { place: Place; message: APIMessage } => {
      const own = discord.world.find(channel.id, id);
      const found = where.get(id) ?? (own && { place: channel, message: own });
      if (found === undefined) throw new Error('no such message');
      return found;
    };
    const place = (id: string | undefined): Place =>
      id === undefined ? channel : (discord.world.places.get(id) ?? channel);
    const say = (name: string, at: Place, text: string, said: Said = {}): string => {
      const message = discord.say(person(name), at, text, said);
      where.set(message.id, { place: at, message });
      return message.id;
    };

    return {
      mention: discord.mention,
      say(name, text, { thread, files = [] } = {}) {
        const attachments = files.map((one) => discord.attach(one.name, 'text/plain', Buffer.from(one.text)));
        return say(name, place(thread), text, { attachments });
      },
      sayTo: (post, name, text) => say(name, channel, text, { replyTo: placed(post).message }),
      sayAsRobot(text) {
        const { user } = person('Robot');
        discord.say({ user: { ...user, bot: true } }, channel, text);
      },
      sayDirectly: (name, text) => say(name, discord.world.dm(person(name)), text),
      edit: (id, text) => discord.edit(placed(id).place, placed(id).message, text),
      remove: (id) => discord.remove(placed(id).place, id),
      redeliver: (id) => discord.repeat(placed(id).place, placed(id).message),
      order: (name, path, options) => void discord.slash(person(name), channel, path, options),
      press(name, post, label) {
        const message = discord.world.find(channel.id, post);
        if (message !== undefined) discord.press(person(name), channel, message, label);
      },
      openThread(on) {
        const thread = discord.world.addThread(channel, 'aside', placed(on).message);
        discord.announceThread(thread);
        return thread.id;
      },
      posts: (thread) => discord.posts(place(thread)).map(toShown),
      notes: () =>
        discord.requests.flatMap(({ body: { content } }) =>
          typeof content === 'string' && content.startsWith('⏳ ') ? [content.slice('⏳ '.length)] : [],
        ),
      toldPrivately(name) {
        const own = [...discord.state.interactions.values()].filter((one) => one.user.id === person(name).user.id);
        const answers = own.flatMap((one) => one.answers).filter(isOnlyTheirs);
        return [...answers, ...discord.posts(discord.world.dm(person(name)))].map((one) => one.content);
      },
      filesOf(name) {
        const own = [...discord.state.interactions.values()].filter((one) => one.user.id === person(name).user.id);
        return own.flatMap((one) => one.files).map((one) => ({ name: one.name, text: one.content }));
      },
      pinged: () =>
        discord.requests.some(({ body }) => 'content' in body && JSON.stringify(body.allowed_mentions) !== noPings),
      until: discord.until,
      async close() {
        await adapter.close();
        await discord.close();
      },
    };
  },
};

type Said = Parameters<Awaited<ReturnType<typeof startDiscordServer>>['say']>[3];

const noPings = JSON.stringify({ parse: [], replied_user: false });

function isOnlyTheirs(message: APIMessage): boolean {
  return ((message.flags ?? 0) & MessageFlags.Ephemeral) !== 0;
}

function toShown(message: APIMessage): Shown {
  return { id: message.id, text: message.content, buttons: buttonsOf(message).map((one) => one.label) };
}

describeAdapter(discordHarness);
await describeTalk(discordHarness);
