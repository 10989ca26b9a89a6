import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { piecesOf, setStage, textOf } from '../journeys/discord-setup.ts';
import type { Fault } from '../sim/discord-limits.ts';

/** Seeded trouble of every kind at once; what people see in the end is what they would have seen without it. */

const stage = await setStage({ after }, { discord: { heartbeatMs: 1000, limits: { count: 20, windowMs: 2000 } } });
const { discord, model, guild } = stage;

const kinds: Fault['kind'][] = ['limited', 'limited-globally', 'failing', 'lost', 'slow', 'reset', 'cut'];

for (let seed = 1; seed <= 20; seed++) {
  test(`storm ${seed}: each question has one whole answer`, async () => {
    const random = createRandom(seed);
    const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
    const channels = Array.from({ length: 4 }, (_, n) => discord.world.addChannel(guild, `storm-${seed}-${n}`));
    discord.join(guild);
    model.answerWith(({ last }) => {
      const words = Number(/(\d+) words/.exec(last)?.[1]);
      return { text: `${'word '.repeat(words)}${/question \S+/.exec(last)?.[0]}`, delayMs: 1 };
    });
    const weather = setInterval(() => {
      const kind = pick(kinds);
      if (kind === undefined) return;
      discord.faults.push({ match: ({ path }) => path.startsWith('/channels'), kind, ms: Math.ceil(random() * 400) });
      if (random() < 0.1) discord.gateway.drop();
      discord.gateway.faults.copies = random() < 0.3 ? 2 : 1;
    }, 100);
    const asked = Array.from({ length: 12 }, (_, n) => {
      const channel = pick(channels);
      assert.ok(channel);
      const words = Math.ceil(random() * 900);
      const text = `${discord.mention} ${words} words, question ${seed}/${n}.`;
      const message = discord.say(random() < 0.5 ? stage.ann : stage.ben, channel, text);
      return { channel, message, text: `${'word '.repeat(words)}question ${seed}/${n}.` };
    });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    clearInterval(weather);
    discord.gateway.faults.copies = 1;
    for (const { channel, message, text } of asked) {
      const answer = await stage.answerTo(channel, message, 90_000);
      assert.equal(textOf(answer).replace(/\s+/g, ' '), text);
    }
    const posts = channels.flatMap((channel) => discord.posts(channel));
    const pieces = asked.flatMap(({ channel, message }) => piecesOf(discord.posts(channel), message.id));
    assert.equal(posts.length, pieces.length);
    assert.deepEqual(discord.refused(), []);
  });
}

function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}
