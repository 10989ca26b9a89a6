import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discordToken } from '../sim/discord.ts';
import { setStage } from './discord-setup.ts';
import { startProgram } from './program.ts';

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

test('a line closed for good while running ends the program with 78 and what to do', async (t) => {
  const stage = await setStage(t, { start: false });
  for (const [code, remedy] of [fatalCodes[0], fatalCodes[5]].flatMap((one) => (one === undefined ? [] : [one]))) {
    const program = await stage.start();
    stage.discord.gateway.close(code);
    assert.equal(await program.ended, 78, `close code ${code}`);
    assert.match(program.errors(), remedy);
  }
});

test('a wrong token ends the program with 78, and is not shown', async (t) => {
  const stage = await setStage(t, { start: false });
  const token = discordToken.replace('simulated', 'mistyped');
  const program = startProgram({ args: [], env: { ...stage.env, DISCORD_BOT_TOKEN: token } });
  assert.equal(await program.ended, 78);
  assert.match(program.errors(), /does not accept this token/);
  assert.doesNotMatch(program.errors() + program.output(), /mistyped/);
});

test('the Message Content intent switched off is named, with where to switch it on', async (t) => {
  const stage = await setStage(t, { start: false });
  stage.discord.gateway.faults.noMessageContent = true;
  const program = startProgram({ args: [], env: stage.env });
  assert.equal(await program.ended, 78);
  assert.match(program.errors(), /discord\.com\/developers\/applications.*Message Content Intent/);
});

test('a Discord that cannot be reached yet is waited for', async (t) => {
  const stage = await setStage(t, { start: false });
  stage.discord.faults.push({ match: (one) => one.path === '/users/@me', kind: 'failing', times: 5 });
  await stage.start();
  await stage.answerTo(stage.channel, stage.discord.say(stage.ann, stage.channel, `${stage.discord.mention} hi`));
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
