import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { GatewayOpcodes } from 'discord-api-types/v10';
import type { RestRequest } from '../sim/discord-limits.ts';
import { piecesOf, setStage, textOf } from './discord-setup.ts';

const stage = await setStage({ after }, { discord: { heartbeatMs: 400 } });
const { discord, model, guild } = stage;

function newChannel() {
  const channel = discord.world.addChannel(guild, 'trouble');
  discord.join(guild);
  return channel;
}

const isWrite = (channel: { id: string }) => (request: RestRequest) =>
  request.method !== 'GET' && request.path.startsWith(`/channels/${channel.id}/messages`);

async function isReady(): Promise<boolean> {
  const port = /127\.0\.0\.1:(\d+)/.exec(stage.program().output())?.[1];
  const response = await fetch(`http://127.0.0.1:${port}/readyz`);
  return response.status === 200;
}

async function answered(text: string): Promise<void> {
  const channel = newChannel();
  model.answerWith(() => text);
  assert.equal(textOf(await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} hi`))), text);
}

test('through a storm of 429s the whole text arrives, once', async () => {
  const channel = newChannel();
  const text = Array.from({ length: 60 }, (_, n) => `word${n}`).join(' ');
  model.answerWith(() => ({ text, delayMs: 30 }));
  discord.faults.push(
    { match: isWrite(channel), kind: 'limited', ms: 300, times: 2 },
    { match: (one) => isWrite(channel)(one) && one.method === 'PATCH', kind: 'limited-globally', ms: 400, times: 2 },
    { match: isWrite(channel), kind: 'limited', ms: 200, times: 2 },
  );
  const answer = await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} go`));
  assert.deepEqual([answer.length, textOf(answer)], [1, text]);
  assert.equal(discord.posts(channel).length, 1);
});

test('a message posted although Discord said no is not posted twice', async () => {
  for (const kind of ['lost', 'cut'] as const) {
    const channel = newChannel();
    model.answerWith(() => `only once (${kind})`);
    discord.faults.push({ match: (one) => isWrite(channel)(one) && one.method === 'POST', kind, times: 2 });
    const answer = await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} go`));
    assert.equal(textOf(answer), `only once (${kind})`);
    assert.equal(discord.posts(channel).length, 1);
  }
});

test('a Discord that fails for seconds still gets the end of the answer', async () => {
  const channel = newChannel();
  model.answerWith(() => 'at last');
  discord.faults.push({ match: isWrite(channel), kind: 'failing', times: 10 });
  const answer = await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} go`), 30_000);
  assert.deepEqual([discord.posts(channel).length, textOf(answer)], [1, 'at last']);
});

test('a slow Discord is not asked for more edits than it can take', async () => {
  const channel = newChannel();
  model.answerWith(() => ({ text: 'a b c d e f g h i j k l m n o p q r s t', delayMs: 100 }));
  discord.faults.push({
    match: (one) => isWrite(channel)(one) && one.method === 'PATCH',
    kind: 'slow',
    ms: 700,
    times: 20,
  });
  const question = discord.say(stage.ann, channel, `${discord.mention} go`);
  assert.equal(textOf(await stage.answerTo(channel, question)), 'a b c d e f g h i j k l m n o p q r s t');
  const edits = discord.requests.filter((one) => isWrite(channel)(one) && one.method === 'PATCH');
  assert.ok(edits.length <= 4, `${edits.length} edits in about two seconds`);
});

test('an event delivered three times, in any order, is answered once', async () => {
  const channel = newChannel();
  const before = model.requests.length;
  model.answerWith(({ n }) => `answer ${n - before}`);
  discord.gateway.faults.copies = 3;
  discord.gateway.hold();
  const one = discord.say(stage.ann, channel, `${discord.mention} one`);
  const two = discord.say(stage.ben, channel, `${discord.mention} two`);
  discord.gateway.release((count) => Array.from({ length: count }, (_, n) => count - 1 - n));
  discord.gateway.faults.copies = 1;
  await stage.answerTo(channel, one);
  await stage.answerTo(channel, two);
  assert.equal(model.requests.length, before + 2);
  assert.equal(discord.posts(channel).length, 2);
});

test('a dropped line is taken up again: what was said meanwhile is answered once', async () => {
  const channel = newChannel();
  model.answerWith(() => 'still here');
  const resumed = discord.gateway.counts.resumed;
  discord.gateway.drop();
  const question = discord.say(stage.ann, channel, `${discord.mention} are you there?`);
  await stage.answerTo(channel, question);
  assert.equal(discord.gateway.counts.resumed, resumed + 1);
  assert.equal(piecesOf(discord.posts(channel), question.id).length, 1);
});

test('told to reconnect, it does', async () => {
  const resumed = discord.gateway.counts.resumed;
  discord.gateway.send(GatewayOpcodes.Reconnect, null);
  await discord.until(() => discord.gateway.counts.resumed > resumed, 'it resumes');
  await answered('reconnected');
});

test('a session that is lost is begun anew, and what was said in the gap is answered, also directly', async () => {
  const channel = newChannel();
  const dm = discord.world.dm(stage.ann);
  model.answerWith(() => 'caught up');
  await stage.answerTo(dm, discord.say(stage.ann, dm, 'first, so that you know me'));
  const identified = discord.gateway.counts.identified;
  discord.gateway.forgetSessions();
  const missed = discord.sayUnheard(stage.ann, channel, `${discord.mention} in the gap`);
  const missedDirectly = discord.sayUnheard(stage.ann, dm, 'me, too');
  discord.gateway.drop();
  await discord.until(() => discord.gateway.counts.identified > identified, 'it identifies again');
  assert.equal(textOf(await stage.answerTo(channel, missed)), 'caught up');
  assert.equal(textOf(await stage.answerTo(dm, missedDirectly)), 'caught up');
  assert.equal(piecesOf(discord.posts(channel), missed.id).length, 1);
});

test('a line on which nothing is heard any more is given up for a new one, and readiness tells', async () => {
  assert.equal(await isReady(), true);
  const resumed = discord.gateway.counts.resumed;
  discord.gateway.faults.deaf = true;
  discord.gateway.faults.mute = true;
  let unready = false;
  for (let n = 0; n < 100 && !unready; n++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    unready = !(await isReady());
  }
  assert.equal(unready, true);
  discord.gateway.faults.deaf = false;
  discord.gateway.faults.mute = false;
  discord.gateway.drop();
  await discord.until(() => discord.gateway.counts.resumed > resumed, 'it resumes');
  await answered('alive');
  assert.equal(await isReady(), true);
});

test('nothing that was sent is refused by Discord', () => {
  assert.deepEqual(discord.refused(), []);
});
