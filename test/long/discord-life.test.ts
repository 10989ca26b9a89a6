import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayOpcodes } from 'discord-api-types/v10';
import { setStage } from '../journeys/discord-setup.ts';
import { startProgram } from '../journeys/program.ts';

const fatalCodes: [number, RegExp][] = [
  [4004, /DISCORD_BOT_TOKEN: Discord does not accept this token.*Reset Token/],
  [4010, /shard numbers/],
  [4011, /too many servers/],
  [4012, /version of its gateway/],
  [4013, /does not know the intents/],
  [4014, /Privileged Gateway Intents.*Message Content Intent/],
];

test('a line closed for good while starting ends the program with 78 and what to do', async (t) => {
  const stage = await setStage(t, { start: false });
  for (const [code, remedy] of fatalCodes) {
    stage.discord.gateway.faults.closeAtIdentify = code;
    const program = startProgram({ args: [], env: stage.env });
    assert.equal(await program.ended, 78, `close code ${code}`);
    assert.match(program.errors(), remedy);
  }
});

test('with many servers it takes as many connections as Discord says', async (t) => {
  const stage = await setStage(t, { start: false, discord: { shards: 2 } });
  const { discord } = stage;
  while (new Set([...discord.world.guilds.keys()].map((id) => (BigInt(id) >> 22n) % 2n)).size < 2) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    discord.world.addChannel(discord.world.addGuild(), 'general');
  }
  await stage.start();
  await discord.until(() => discord.gateway.connected() === 2, 'both are connected', 30_000);
  for (const guild of discord.world.guilds.values()) {
    const channel = discord.world.addChannel(guild, 'here');
    discord.join(guild);
    await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} hi`));
  }
});

test('an invalidated session is begun anew', async (t) => {
  const { discord, channel, ann, answerTo } = await setStage(t);
  const { identified } = discord.gateway.counts;
  discord.gateway.send(GatewayOpcodes.InvalidSession, false);
  await discord.until(() => discord.gateway.counts.identified > identified, 'it identifies again');
  await answerTo(channel, discord.say(ann, channel, `${discord.mention} hi`));
});

test('a long silence of the model is filled with typing, renewed until the answer begins', async (t) => {
  const { discord, model, channel, ann, answerTo } = await setStage(t);
  model.answerWith(() => ({ pieces: [17_000, 'At last.'] }));
  await answerTo(channel, discord.say(ann, channel, `${discord.mention} think`), 30_000);
  assert.ok(discord.state.typing.length >= 3);
});
