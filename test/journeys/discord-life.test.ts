import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discordToken } from '../sim/discord.ts';
import { setStage } from './discord-setup.ts';
import { startProgram } from './program.ts';

const fatalCodes: [number, RegExp][] = [
  [4004, /DISCORD_BOT_TOKEN: Discord does not accept this token.*Reset Token/],
  [4014, /Privileged Gateway Intents.*Message Content Intent/],
];

test('a line closed for good while running ends the program with 78 and what to do', async (t) => {
  const stage = await setStage(t, { start: false });
  for (const [code, remedy] of fatalCodes) {
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
