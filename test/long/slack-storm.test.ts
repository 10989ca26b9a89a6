import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Mode, piecesOf, setStage, shownText } from '../journeys/slack-setup.ts';
import type { Fault } from '../sim/slack-server.ts';

/** Seeded trouble of every kind at once; what people see in the end is what they would have seen without it. */

const kinds: Fault['kind'][] = ['limited', 'refused', 'failing', 'lost', 'slow', 'reset', 'cut'];
const errors = ['internal_error', 'service_unavailable', 'message_not_in_streaming_state', 'fatal_error'];

for (const mode of ['socket', 'http'] satisfies Mode[]) {
  const stage = await setStage({ after }, { mode, slack: { streamMs: 4000 } });
  const { slack, model } = stage;

  for (let seed = 1; seed <= 10; seed++) {
    test(`${mode}: storm ${seed}: each question has one whole answer`, async () => {
      const random = createRandom(seed);
      const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
      const channels = Array.from({ length: 4 }, (_, n) => slack.world.addChannel(`storm-${seed}-${n}`));
      model.answerWith(({ last }) => {
        const words = Number(/(\d+) words/.exec(last)?.[1]);
        return { text: `${'word '.repeat(words)}${/question \S+/.exec(last)?.[0]}`, delayMs: 1 };
      });
      const weather = setInterval(() => {
        const kind = pick(kinds);
        const error = pick(errors);
        if (kind === undefined || error === undefined) return;
        const match: Fault['match'] = ({ method }) => /^(chat|conversations)\./.test(method);
        slack.faults.push({ match, kind, ms: Math.ceil(random() * 400), error });
        if (random() < 0.1) slack.delivery.drop();
        if (random() < 0.1) slack.delivery.refresh();
        slack.delivery.faults.copies = random() < 0.3 ? 2 : 1;
        slack.delivery.faults.swap = random() < 0.1;
      }, 100);
      const asked = Array.from({ length: 12 }, (_, n) => {
        const channel = pick(channels);
        assert.ok(channel);
        const words = Math.ceil(random() * 900);
        const text = `${slack.mention} ${words} words, question ${seed}/${n}.`;
        const message = slack.say(random() < 0.5 ? stage.ann : stage.ben, channel, text);
        return { channel, message, text: `${'word '.repeat(words)}question ${seed}/${n}.` };
      });
      await new Promise((resolve) => setTimeout(resolve, 3000));
      clearInterval(weather);
      slack.delivery.faults.copies = 1;
      slack.delivery.faults.swap = false;
      for (const { channel, message, text } of asked) {
        const answer = await stage.answerTo(channel, message, 90_000);
        assert.equal(shownText(answer).replace(/\s+/g, ' '), text);
      }
      const posts = channels.flatMap((channel) => slack.posts(channel));
      const pieces = asked.flatMap(({ channel, message }) => piecesOf(slack.posts(channel), message));
      assert.equal(posts.length, pieces.length);
      assert.deepEqual(posts.filter(slack.isStreaming), []);
      assert.deepEqual(slack.refused(), []);
    });
  }
}

function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}
