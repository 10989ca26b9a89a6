import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { commands } from '../../src/commands/list.ts';
import type { Person, Place } from '../sim/slack-world.ts';
import { textOf, toRecord } from '../sim/slack-world.ts';
import { type Mode, setStage, shownText } from './slack-setup.ts';

/** What people order, by slash command, mention and button, the same over sockets and requests. */
export async function describeCommands(mode: Mode): Promise<void> {
  const stage = await setStage({ after }, { mode });
  const { slack, model, root } = stage;
  const newChannel = () => slack.world.addChannel('orders');
  const it = (name: string, body: () => Promise<void>): void => void test(`${mode}: ${name}`, body);

  /** What the person alone reads; Slack had its word in time. */
  async function order(person: Person, channel: Place, text: string, command?: string): Promise<string> {
    const given = slack.command(person, channel, text, command);
    await slack.until(() => given.ack, `“${text}” is acknowledged`);
    assert.equal(given.failed, false);
    const answers = await slack.until(() => {
      const { said = [] } = slack.responses.get(given.responseId) ?? {};
      return said.length > 0 ? said : undefined;
    }, `“${text}” is answered privately`);
    for (const one of answers) assert.equal(one.response_type, 'ephemeral');
    return answers.map((one) => textOf({ text: '', ...one })).join('\n');
  }

  async function firstSaid(responseId: string) {
    const said = await slack.until(() => slack.responses.get(responseId)?.said[0], 'it is answered');
    const { blocks } = toRecord(said);
    return { text: '', blocks: Array.isArray(blocks) ? blocks : [], replace_original: said.replace_original };
  }

  async function announced(channel: Place, words: RegExp): Promise<void> {
    await slack.until(() => slack.posts(channel).some((one) => words.test(textOf(one))), String(words));
  }

  it('help lists every command of the one list, to the person alone', async () => {
    const channel = newChannel();
    const help = await order(root, channel, 'help');
    for (const { path } of commands) assert.match(help, new RegExp(`\`/channelore ${path.join(' ')}`));
    assert.doesNotMatch(help, /`\/(?!channelore )/);
    assert.equal(await order(root, channel, ''), help, 'nothing at all asks for help');
    assert.equal(slack.posts(channel).length, 0);
  });

  it('what is no command is acknowledged, too, and answered with help', async () => {
    const channel = newChannel();
    assert.match(await order(stage.ann, channel, 'dance wildly'), /`\/channelore help`/);
    assert.match(await order(stage.ann, channel, 'role'), /\/channelore role needs .*`\/channelore role show`/);
    assert.match(await order(stage.ann, channel, 'nonsense', '/channelore-old'), /help/);
  });

  it('each command is answered in three seconds', async () => {
    const channel = newChannel();
    const values: Record<string, string> = { text: 'x', n: '1', who: stage.ann.id, name: 'temperature', value: '1' };
    for (const { path, options } of commands.filter((one) => !one.public)) {
      const given = options.filter((one) => one.required).map((one) => values[one.name] ?? 'x');
      const name = [...path, ...given].join(' ');
      assert.notEqual(await order(root, channel, name), '', name);
    }
    assert.deepEqual(
      slack.delivery.deliveries.filter((one) => one.failed),
      [],
    );
  });

  it('the role is shown, set in a public line, played, and cleared', async () => {
    const channel = newChannel();
    assert.match(await order(stage.ann, channel, 'role show'), /helpful assistant/);
    slack.command(stage.ann, channel, 'role set You are a pirate &amp; poet.');
    await announced(channel, /Ann set the role: You are a pirate & poet\./);
    model.answerWith(() => 'Arr.');
    await stage.answerTo(channel, slack.say(stage.ben, channel, `${slack.mention} hello`));
    assert.match(model.requests.at(-1)?.messages[0]?.text ?? '', /You are a pirate & poet/);
    slack.command(stage.ann, channel, 'role clear');
    await announced(channel, /Ann cleared the role/);
  });

  it('in a thread, where Slack has no slash commands, a mention orders for the thread alone', async () => {
    const channel = newChannel();
    model.answerWith(() => 'Noted.');
    const question = slack.say(stage.ann, channel, `${slack.mention} hello`);
    await stage.answerTo(channel, question);
    slack.say(stage.ann, channel, `${slack.mention} /role set You are a sailor.`, { thread: question.ts });
    const line = await slack.until(
      () => slack.posts(channel, question.ts).find((one) => /set the role/.test(textOf(one))),
      'it is announced in the thread',
    );
    assert.equal(line.thread_ts, question.ts);
    const toldThere = async (text: string): Promise<string> => {
      const before = slack.state.ephemerals.length;
      slack.say(stage.ann, channel, `${slack.mention} ${text}`, { thread: question.ts });
      const told = await slack.until(() => slack.state.ephemerals[before], 'it is answered privately');
      assert.equal(told.thread, question.ts);
      return textOf(told.message);
    };
    assert.match(await toldThere('/channelore role show'), /You are a sailor/);
    assert.match(await toldThere('/roll show'), /Did you mean `\/channelore role show`/);
    await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} go`, { thread: question.ts }));
    assert.match(stage.lastPrompt(), /You are a sailor/);
    await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} go`));
    assert.doesNotMatch(stage.lastPrompt(), /You are a sailor/);
  });

  it('a memory that is reset can be brought back', async () => {
    const channel = newChannel();
    model.answerWith(() => 'noted');
    await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} the word is heron`));
    slack.command(stage.ann, channel, 'reset');
    await announced(channel, /Ann reset my memory/);
    await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} and now?`));
    assert.doesNotMatch(stage.lastPrompt(), /heron/);
    slack.command(stage.ann, channel, 'undo');
    await announced(channel, /brought back/);
    await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} and then?`));
    assert.match(stage.lastPrompt(), /heron/);
  });

  it('forgetting asks first, with a button that only they see, and then forgets', async () => {
    const channel = newChannel();
    model.answerWith(() => 'noted');
    await stage.answerTo(channel, slack.say(stage.ben, channel, `${slack.mention} my number is 5550`));
    const asked = slack.command(root, channel, `forget user <@${stage.ben.id}|ben>`);
    const question = await firstSaid(asked.responseId);
    assert.match(textOf(question), /cannot be undone/);
    const pressed = slack.press(root, channel, { ...question, ts: slack.world.newTs() }, 'Yes, erase it', true);
    const confirmed = await firstSaid(pressed.responseId);
    assert.match(textOf(confirmed), /forgotten/i);
    assert.equal(confirmed.replace_original, true);
    await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} what is the number?`));
    assert.doesNotMatch(stage.lastPrompt(), /5550/);
  });

  it('an export is given to the admin in direct messages, and nobody else may have it', async () => {
    const channel = newChannel();
    model.answerWith(() => 'noted');
    await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} remember me`));
    assert.match(await order(stage.ann, channel, 'memory export'), /Only admins may use/);
    assert.match(await order(root, channel, 'memory export'), /direct messages/);
    const direct = slack.world.im(root.id).id;
    const files = slack.state.shared.filter((one) => one.channel === direct);
    assert.ok(files.length > 0);
    assert.match(files.map((one) => one.body).join(), /remember me/);
    assert.equal(slack.state.shared.length, files.length);
  });

  it('a refusal is told to the person alone, by mention, too, and says which rule', async () => {
    const channel = newChannel();
    const said = slack.say(stage.ann, channel, `${slack.mention} /settings set temperature 1`);
    const told = await slack.until(
      () => slack.state.ephemerals.find((one) => one.user === stage.ann.id && one.channel === channel.id),
      'Ann is told',
    );
    assert.match(textOf(told.message), /Only admins may use/);
    assert.equal(told.thread, said.ts);
    assert.equal(slack.posts(channel).length, 0);
  });

  it('an answer is stopped by its button, by whoever asked; what was written stays', async () => {
    const channel = newChannel();
    model.answerWith(() => ({ pieces: ['Begun and '], hang: 'after-pieces' }));
    const question = slack.say(stage.ann, channel, `${slack.mention} tell me`);
    const post = await slack.until(() => slack.posts(channel)[0], 'it begins');
    slack.press(stage.ben, channel, post, 'Stop');
    await slack.until(() => slack.toldPrivately(stage.ben).some((one) => /only whoever asked/i.test(one)), 'refused');
    slack.press(stage.ann, channel, post, 'Stop');
    const [stopped] = await stage.answerTo(channel, question);
    assert.match(shownText(stopped === undefined ? [] : [stopped]), /^Begun and.*[Ss]topped by Ann/s);
    assert.equal(slack.posts(channel).length, 1);
  });

  it('Retry gives another answer in the same thread', async () => {
    const channel = newChannel();
    model.answerWith(() => 'first answer');
    const question = slack.say(stage.ann, channel, `${slack.mention} tell me`);
    const [first] = await stage.answerTo(channel, question);
    assert.ok(first);
    model.answerWith(() => 'second answer');
    slack.press(stage.ann, channel, first, 'Retry');
    const second = await slack.until(
      () => slack.posts(channel, question.ts).find((one) => textOf(one) === 'second answer' && slack.buttonsOf(one)[0]),
      'it is answered again',
    );
    assert.equal(slack.buttonsOf(second)[0]?.label, 'Retry');
    assert.match(model.requests.at(-1)?.last ?? '', /tell me/);
  });

  it('a failed answer offers Retry, which works', async () => {
    const channel = newChannel();
    model.answerWith(() => ({ status: 400, body: { error: { message: 'no' } } }));
    slack.say(stage.ann, channel, `${slack.mention} tell me`);
    const failure = await slack.until(
      () => slack.posts(channel).find((one) => textOf(one).startsWith('⚠️')),
      'the failure is told',
    );
    model.answerWith(() => 'now it works');
    slack.press(stage.ann, channel, failure, 'Retry');
    await announced(channel, /now it works/);
  });

  it('the Home tab shows role, memory and usage', async () => {
    slack.openHome(root);
    const view = await slack.until(() => {
      const shown = JSON.stringify(slack.state.homes.get(root.id) ?? '');
      return /My role/.test(shown) && /Usage/.test(shown) && /remember/.test(shown) ? shown : undefined;
    }, 'it is shown');
    assert.match(view, /helpful assistant/);
    assert.match(view, /tokens/i);
    assert.doesNotMatch(view, /your own usage|\*\*/);
    slack.openHome(stage.ann);
    await slack.until(
      () => /your own usage/.test(JSON.stringify(slack.state.homes.get(stage.ann.id) ?? '')),
      'no more',
    );
  });

  it('the assistant’s pane suggests, takes its title from the first question, and answers in its thread', async () => {
    const thread = slack.openPane(stage.ann);
    await slack.until(() => slack.state.prompts.get(thread), 'it suggests');
    const place = slack.world.im(stage.ann.id);
    model.answerWith(() => 'In the pane.');
    const question = slack.say(stage.ann, place, 'What is a heron?', { thread });
    const answer = await stage.answerTo(place, question);
    assert.equal(shownText(answer), 'In the pane.');
    assert.equal(slack.state.titles.get(thread), 'What is a heron?');
    slack.emit({
      type: 'assistant_thread_context_changed',
      assistant_thread: { user_id: stage.ann.id, channel_id: place.id, thread_ts: thread, context: {} },
      event_ts: slack.world.newTs(),
    });
    await slack.until(() => slack.delivery.deliveries.at(-1)?.ack, 'a change of context is acknowledged');
    await stage.answerTo(place, slack.say(stage.ann, place, 'And a stork?', { thread }));
    assert.equal(slack.state.titles.get(thread), 'What is a heron?');
  });

  it('nothing was sent that Slack refuses', async () => {
    assert.deepEqual(slack.refused(), []);
    assert.deepEqual(
      slack.requests.filter((one) => one.answer === 'missing_scope'),
      [],
    );
  });
}
