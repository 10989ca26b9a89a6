import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ApiRequest } from '../sim/slack-server.ts';
import type { Place } from '../sim/slack-world.ts';
import { setStage, shownText } from './slack-setup.ts';

/** Whatever Slack does, what people see in the end is what they would have seen without it. */

const stage = await setStage({ after }, { slack: { streamMs: 2500 } });
const { slack, model } = stage;
const newChannel = () => slack.world.addChannel('trouble');

const is =
  (channel: Place, ...methods: string[]) =>
  (request: ApiRequest) =>
    request.body.channel === channel.id && methods.includes(request.method);
const writes = ['chat.startStream', 'chat.appendStream', 'chat.stopStream', 'chat.update', 'chat.postMessage'];
const slowly = (count: number, delayMs = 40) => ({
  text: Array.from({ length: count }, (_, n) => `word${n}`).join(' '),
  delayMs,
});

async function isAnsweredBy(text: string, channel: Place, ms = 20_000): Promise<void> {
  const answer = await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} go`), ms);
  assert.equal(shownText(answer), text);
  assert.equal(slack.posts(channel).length, 1);
  assert.deepEqual(slack.posts(channel).filter(slack.isStreaming), []);
}

test('through a storm of 429s the whole text arrives, once', async () => {
  const channel = newChannel();
  const answer = slowly(50);
  model.answerWith(() => answer);
  for (const method of ['chat.startStream', 'chat.appendStream', 'chat.update'])
    slack.faults.push({ match: is(channel, method), kind: 'limited', ms: 1000, times: 1 });
  await isAnsweredBy(answer.text, channel);
});

test('a 429 in one channel does not stop the others', async () => {
  const slow = newChannel();
  const other = newChannel();
  model.answerWith(() => 'here I am');
  slack.faults.push({ match: is(slow, ...writes), kind: 'limited', ms: 2000, times: 1 });
  const held = slack.say(stage.ann, slow, `${slack.mention} go`);
  await slack.until(
    () => slack.requests.some((one) => is(slow, ...writes)(one) && one.answer === 'ratelimited'),
    'held',
  );
  await isAnsweredBy('here I am', other);
  assert.equal(slack.posts(slow).length, 0, 'the other did not wait for it');
  await stage.answerTo(slow, held);
});

test('what was posted although Slack said no is not posted twice, streamed or not', async () => {
  for (const kind of ['lost', 'cut'] as const) {
    const channel = newChannel();
    model.answerWith(() => `only once (${kind})`);
    slack.faults.push({ match: is(channel, 'chat.startStream'), kind, times: 2 });
    await isAnsweredBy(`only once (${kind})`, channel);
  }
  const channel = newChannel();
  model.answerWith(() => 'posted once');
  slack.faults.push(
    { match: is(channel, 'chat.startStream'), kind: 'refused', error: 'channel_type_not_supported', times: 3 },
    { match: is(channel, 'chat.postMessage'), kind: 'lost', times: 2 },
  );
  await isAnsweredBy('posted once', channel);
});

test('what was added to a stream although Slack said no is not added twice', async () => {
  const channel = newChannel();
  const answer = slowly(40, 50);
  model.answerWith(() => answer);
  slack.faults.push({ match: is(channel, 'chat.appendStream'), kind: 'lost' });
  await isAnsweredBy(answer.text, channel);
});

test('an internal error of Slack’s, and seconds of failing, do not keep the end of an answer from coming', async () => {
  const channel = newChannel();
  model.answerWith(() => 'at last');
  slack.faults.push(
    { match: is(channel, ...writes), kind: 'refused', error: 'internal_error', times: 1 },
    { match: is(channel, ...writes), kind: 'failing', times: 2 },
  );
  await isAnsweredBy('at last', channel);
});

test('a stream that Slack refuses is an answer that is posted and edited', async () => {
  const channel = newChannel();
  const answer = slowly(30);
  model.answerWith(() => answer);
  slack.faults.push({ match: is(channel, 'chat.startStream'), kind: 'refused', error: 'channel_type_not_supported' });
  await isAnsweredBy(answer.text, channel);
  assert.ok(slack.requests.some((one) => is(channel, 'chat.postMessage')(one)));
  assert.ok(slack.requests.filter((one) => is(channel, 'chat.update')(one)).length >= 2, 'edited while it grows');
});

test('a stream that dies is finished by edits', async () => {
  const channel = newChannel();
  const answer = slowly(60, 50);
  model.answerWith(() => answer);
  slack.faults.push({
    match: is(channel, 'chat.appendStream'),
    kind: 'refused',
    error: 'message_not_in_streaming_state',
  });
  await isAnsweredBy(answer.text, channel);
});

test('a stream that Slack ends for its age is finished by edits', async () => {
  const channel = newChannel();
  const answer = { pieces: ['The beginning', 2700, ', the middle', 100, ', the end.'] };
  model.answerWith(() => answer);
  await isAnsweredBy('The beginning, the middle, the end.', channel);
});

test('a slow Slack is not asked for more than it can take', async () => {
  const channel = newChannel();
  const answer = slowly(30, 100);
  model.answerWith(() => answer);
  slack.faults.push({ match: is(channel, 'chat.appendStream'), kind: 'slow', ms: 700, times: 20 });
  await isAnsweredBy(answer.text, channel);
  const appends = slack.requests.filter((one) => is(channel, 'chat.appendStream')(one));
  assert.ok(appends.length <= 5, `${appends.length} in about three seconds`);
});

test('an event delivered three times over two sockets is answered once', async () => {
  const channel = newChannel();
  const before = model.requests.length;
  model.answerWith(() => 'once');
  slack.delivery.faults.copies = 2;
  const question = slack.say(stage.ann, channel, `${slack.mention} hello`);
  await slack.until(() => slack.posts(channel).length > 0, 'it is answered');
  const connected = slack.delivery.counts.connected;
  slack.delivery.refresh();
  await slack.until(() => slack.delivery.counts.connected > connected, 'it has a new socket');
  slack.repeat(question);
  slack.delivery.faults.copies = 1;
  await stage.answerTo(channel, question);
  await stage.answerTo(channel, slack.say(stage.ben, channel, `${slack.mention} and I?`));
  assert.equal(model.requests.length, before + 2);
  assert.equal(slack.posts(channel).length, 2);
});

test('events in the wrong order are each answered once', async () => {
  const channel = newChannel();
  model.answerWith(({ last }) => `to ${/\w+$/.exec(last)?.[0]}`);
  slack.delivery.faults.swap = true;
  const one = slack.say(stage.ann, channel, `${slack.mention} one`);
  const two = slack.say(stage.ben, channel, `${slack.mention} two`);
  assert.equal(shownText(await stage.answerTo(channel, one)), 'to one');
  assert.equal(shownText(await stage.answerTo(channel, two)), 'to two');
});

test('a dropped socket is opened again: what was said meanwhile is answered once', async () => {
  const channel = newChannel();
  model.answerWith(() => 'still here');
  slack.delivery.drop();
  await isAnsweredBy('still here', channel);
});

test('asked to connect anew, it does before it lets go, and answers what was under way', async () => {
  const channel = newChannel();
  const answer = slowly(30, 30);
  model.answerWith(() => answer);
  const question = slack.say(stage.ann, channel, `${slack.mention} go`);
  await slack.until(() => slack.posts(channel)[0], 'it begins');
  const { connected, gaps } = slack.delivery.counts;
  slack.delivery.refresh();
  slack.delivery.refresh();
  await slack.until(() => slack.delivery.counts.connected > connected, 'it has a new socket');
  await slack.until(() => slack.delivery.sockets.size === 1, 'and none but that');
  assert.deepEqual(slack.delivery.counts, { connected: connected + 1, gaps }, 'never without one, and one is enough');
  assert.equal(shownText(await stage.answerTo(channel, question)), answer.text);
});

test('names that cannot be looked up in time do not keep an answer from coming', async () => {
  const channel = newChannel();
  const slow = slack.world.addPerson('Slow');
  model.answerWith(() => 'hello');
  slack.faults.push({ match: ({ body }) => body.user === slow.id, kind: 'slow', ms: 5000 });
  const question = slack.say(slow, channel, `${slack.mention} hi`);
  const delivery = slack.delivery.deliveries.at(-1);
  await slack.until(() => delivery?.ack, 'it is acknowledged');
  assert.ok((delivery?.ack?.at ?? 0) - (delivery?.sentAt ?? 0) < 3000);
  await stage.answerTo(channel, question);
  assert.ok(!stage.lastPrompt().includes(slow.id), 'nor does an id reach the model');
});

test('nothing was sent that Slack refuses as malformed', () => {
  const scripted = ['channel_type_not_supported'];
  assert.deepEqual(
    slack.refused().filter((one) => !scripted.includes(one.answer ?? '')),
    [],
  );
});
