import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type GatewayDispatchEvents, GatewayOpcodes } from 'discord-api-types/v10';
import { setStage, textOf } from './discord-setup.ts';

/** Whatever Discord's gateway sends, the program lives, and answers what comes next. */

const stage = await setStage({ after }, { env: { LOG_LEVEL: 'info' } });
const { discord, model, guild, channel } = stage;

/** What cannot be read, by the kind that it says it is: nothing, the wrong shape, and what lacks one thing. */
const kinds = [
  'GUILD_CREATE',
  'GUILD_UPDATE',
  'GUILD_DELETE',
  'GUILD_MEMBER_ADD',
  'GUILD_ROLE_CREATE',
  'GUILD_ROLE_UPDATE',
  'CHANNEL_CREATE',
  'CHANNEL_UPDATE',
  'CHANNEL_DELETE',
  'CHANNEL_PINS_UPDATE',
  'THREAD_CREATE',
  'THREAD_UPDATE',
  'THREAD_LIST_SYNC',
  'MESSAGE_CREATE',
  'MESSAGE_UPDATE',
  'MESSAGE_DELETE',
  'MESSAGE_DELETE_BULK',
  'MESSAGE_REACTION_ADD',
  'INTERACTION_CREATE',
  'TYPING_START',
  'WEBHOOKS_UPDATE',
  'USER_UPDATE',
] as const;

function unreadable(): unknown[] {
  const ids = { id: '42', guild_id: guild.id, channel_id: channel.id };
  const author = { id: '7', username: 'x', discriminator: '0', avatar: null };
  const message = { ...ids, type: 0, content: 'no author', timestamp: 'never', mentions: [], mention_roles: [] };
  return [
    null,
    {},
    [],
    'text',
    ids,
    message,
    { ...message, author: null },
    { ...message, author, id: 'abc' },
    { ...message, author, channel_id: '' },
    { ...ids, ids: 'none' },
    { ...ids, roles: null, channels: null, members: [null], threads: {} },
    { ...ids, type: 2, data: null, member: {}, token: 7 },
    { ...ids, member: { user: null, permissions: 'many' }, data: { options: 'none' }, type: 2, token: 'x' },
  ];
}

const isEnded = (): boolean => stage.program().child.exitCode !== null;

async function answersNext(text: string): Promise<void> {
  model.answerWith(() => text);
  const place = discord.world.addChannel(guild, 'next');
  discord.join(guild);
  const answer = await stage.answerTo(place, discord.say(stage.ann, place, `${discord.mention} go on`), 30_000);
  assert.equal(textOf(answer), text);
  assert.equal(isEnded(), false);
}

for (const kind of kinds) {
  test(`a ${kind} that cannot be read is left out, and what comes next is answered`, async () => {
    for (const data of unreadable()) discord.gateway.emit(kind as GatewayDispatchEvents, data, guild.id);
    await answersNext(`after ${kind}`);
  });
}

test('packets that Discord’s own library refuses or never heard of are left out, too', async () => {
  for (const data of unreadable()) discord.gateway.emit('NEVER_HEARD_OF' as GatewayDispatchEvents, data, guild.id);
  for (const op of [GatewayOpcodes.Dispatch, 77 as GatewayOpcodes]) discord.gateway.send(op, null);
  await answersNext('after strange packets');
  assert.match(stage.program().output(), /something of Discord’s cannot be read and was (left out|refused)/);
  assert.doesNotMatch(stage.program().output(), /I end, and go on/);
});

test('where its library loses the thread, the line to Discord alone begins anew', async () => {
  const before = discord.gateway.counts.identified;
  // Its library reads what it does not ask for, in a promise that nobody looks at.
  discord.gateway.send(GatewayOpcodes.InvalidSession, null);
  await discord.until(() => discord.gateway.counts.identified > before, 'it connects again', 30_000);
  await answersNext('after a new beginning');
  assert.match(stage.program().output(), /failed in a way that nobody expected; I connect again/);
});

test('a server that cannot be read when it connects keeps it from nothing', async () => {
  const spoiled = discord.world.addGuild();
  Object.assign(spoiled, { roles: null, channels: null });
  await stage.program().signal('SIGKILL');
  await stage.start();
  await answersNext('in the other server');
});
