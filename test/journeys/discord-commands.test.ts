import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { MessageFlags, PermissionFlagsBits } from 'discord-api-types/v10';
import { commands } from '../../src/commands/list.ts';
import { buttonsOf } from '../sim/discord.ts';
import type { Interaction } from '../sim/discord-rest.ts';
import type { Person, Place } from '../sim/discord-world.ts';
import { piecesOf, setStage, textOf } from './discord-setup.ts';

const stage = await setStage({ after });
const { discord, model, guild } = stage;
const boss = discord.world.addPerson('Boss', { permissions: PermissionFlagsBits.ManageGuild });

function newChannel() {
  const channel = discord.world.addChannel(guild, 'orders');
  discord.join(guild);
  return channel;
}

/** What the person alone reads; the command has been answered. */
async function told(interaction: Interaction): Promise<string> {
  return await discord.until(() => {
    const [first] = interaction.answers;
    const isDone = first !== undefined && ((first.flags ?? 0) & MessageFlags.Loading) === 0 && first.content !== '';
    if (!isDone) return undefined;
    for (const one of interaction.answers) assert.ok((one.flags ?? 0) & MessageFlags.Ephemeral, 'only they see it');
    return textOf(interaction.answers);
  }, 'the command is answered privately');
}

async function order(person: Person, channel: Place, path: string, values: Record<string, string | number> = {}) {
  return await told(discord.slash(person, channel, path.split(' '), values));
}

/** The public line about a command. */
async function announced(channel: Place, interaction: Interaction, words: RegExp): Promise<void> {
  await discord.until(() => discord.posts(channel).find((one) => words.test(one.content)), String(words));
  await discord.until(() => interaction.answers.length === 0, 'nothing private is left of it');
}

test('the slash commands are the list of commands, registered once', async () => {
  const registered = discord.state.commands.map((one) => Object(one));
  const names = registered.flatMap(({ name, options = [] }) => {
    const subs = options.filter((option: { type: number }) => option.type === 1);
    return subs.length === 0 ? [name] : subs.map((sub: { name: string }) => `${name} ${sub.name}`);
  });
  assert.deepEqual(new Set(names), new Set(commands.map((one) => one.path.join(' '))));
  const puts = () => discord.requests.filter((one) => one.method === 'PUT').length;
  assert.equal(puts(), 1);
  const second = await setStage({ after: (run) => after(run) }, { start: false });
  second.discord.state.commands = structuredClone(discord.state.commands).reverse();
  await second.start();
  await second.discord.until(
    () => second.discord.requests.find((one) => one.path.endsWith('/commands') && one.method === 'GET'),
    'it has looked',
  );
  await second.answerTo(second.channel, second.discord.say(second.ann, second.channel, `${second.discord.mention} hi`));
  assert.equal(second.discord.requests.filter((one) => one.method === 'PUT').length, 0);
});

test('a command is acknowledged within three seconds and answered to the person alone', async () => {
  const channel = newChannel();
  const help = await order(boss, channel, 'help');
  for (const { path } of commands) assert.match(help, new RegExp(`/${path.join(' ')}`));
  assert.equal(discord.posts(channel).length, 0);
});

test('the role is shown, set in a public line, played, and cleared', async () => {
  const channel = newChannel();
  assert.match(await order(stage.ann, channel, 'role show'), /helpful assistant/);
  const set = discord.slash(stage.ann, channel, ['role', 'set'], { text: 'You are a pirate.' });
  await announced(channel, set, /Ann set the role: You are a pirate\./);
  model.answerWith(() => 'Arr.');
  await stage.answerTo(channel, discord.say(stage.ben, channel, `${discord.mention} hello`));
  assert.match(model.requests.at(-1)?.messages[0]?.text ?? '', /You are a pirate/);
  await announced(channel, discord.slash(stage.ann, channel, ['role', 'clear']), /Ann cleared the role/);
});

test('a memory that is reset can be brought back', async () => {
  const channel = newChannel();
  model.answerWith(() => 'noted');
  await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} the word is heron`));
  await announced(channel, discord.slash(stage.ann, channel, ['reset']), /Ann reset my memory/);
  await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} and now?`));
  assert.doesNotMatch(JSON.stringify(model.requests.at(-1)?.messages), /heron/);
  await announced(channel, discord.slash(stage.ann, channel, ['undo']), /brought back/);
  await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} and then?`));
  assert.match(JSON.stringify(model.requests.at(-1)?.messages), /heron/);
});

test('forgetting asks first, with a button that only they see, and then forgets', async () => {
  const channel = newChannel();
  model.answerWith(() => 'noted');
  await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} my number is 5550`));
  for (const [path, values] of [
    ['forget last', { n: 1 }],
    ['forget me', {}],
    ['forget user', { who: stage.ann.user.id }],
    ['forget everything', {}],
  ] as const) {
    const asked = discord.slash(boss, channel, path.split(' '), values);
    assert.match(await told(asked), /cannot be undone/);
    const [question] = asked.answers;
    assert.ok(question);
    if (path !== 'forget user') continue;
    discord.press(boss, channel, question, 'Yes, erase it');
    await discord.until(() => /forgotten/.test(question.content), 'it is confirmed in the same message');
    assert.deepEqual(buttonsOf(question), []);
  }
  await stage.answerTo(channel, discord.say(stage.ben, channel, `${discord.mention} what is her number?`));
  assert.doesNotMatch(JSON.stringify(model.requests.at(-1)?.messages), /5550/);
});

test('memory, prompt, export, rewriting, usage and settings answer privately, files attached', async () => {
  const channel = newChannel();
  model.answerWith(() => 'noted');
  await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} remember me`));
  assert.match(await order(stage.ann, channel, 'memory show'), /What I remember here/);
  const prompt = discord.slash(boss, channel, ['memory', 'prompt']);
  await told(prompt);
  assert.match(prompt.files[0]?.content ?? '', /remember me/);
  const exported = discord.slash(boss, channel, ['memory', 'export']);
  await told(exported);
  assert.deepEqual(
    exported.files.map((file) => file.name),
    ['memory.json', 'memory.md'],
  );
  assert.match(await order(boss, channel, 'memory rewrite'), /Nothing is folded here yet/);
  assert.match(await order(stage.ann, channel, 'usage', { period: 'week' }), /your own usage/);
  assert.match(await order(boss, channel, 'usage', { by: 'model' }), /gpt-4\.1-mini/);
  assert.match(
    await order(boss, channel, 'settings set', { name: 'temperature', value: '0.5' }),
    /temperature to 0\.5/,
  );
  assert.match(await order(stage.ann, channel, 'settings show'), /temperature +` 0\.5/);
  assert.match(await order(boss, channel, 'settings clear', { name: 'temperature' }), /cleared temperature/);
});

test('what only admins may do is refused privately, with the rule', async () => {
  const channel = newChannel();
  for (const spec of commands.filter((one) => one.who === 'admin')) {
    const values = Object.fromEntries(
      spec.options.filter((one) => one.required).map((one) => [one.name, one.name === 'name' ? 'seed' : '1']),
    );
    assert.match(await order(stage.ann, channel, spec.path.join(' '), values), /Only admins may use/);
  }
  assert.equal(discord.posts(channel).length, 0);
});

test('a mention with a slash does the same, answered in a direct message', async () => {
  const channel = newChannel();
  discord.say(stage.ben, channel, `${discord.mention} /role show`);
  const dm = discord.world.dm(stage.ben);
  await discord.until(() => discord.posts(dm).find((one) => /The role here/.test(one.content)), 'it is told directly');
  discord.say(stage.ben, channel, `${discord.mention} /memory export`);
  await discord.until(() => discord.posts(dm).find((one) => /Only admins/.test(one.content)), 'the rule is told');
  assert.equal(discord.posts(channel).length, 0);
  const closed = discord.world.addPerson('Closed', { closed: true });
  discord.say(closed, channel, `${discord.mention} /role show`);
  await discord.until(() => discord.posts(channel).find((one) => /for you alone/.test(one.content)), 'a hint is given');
});

test('the server owner and whoever may manage it are admins also by mention', async () => {
  const channel = newChannel();
  const role = discord.world.addRole(guild, 'Managers', PermissionFlagsBits.ManageGuild);
  const manager = discord.world.addPerson('Manager', { roles: [role.id] });
  discord.gateway.emit('GUILD_ROLE_CREATE' as never, { guild_id: guild.id, role }, guild.id);
  discord.say(manager, channel, `${discord.mention} /memory export`);
  const dm = discord.world.dm(manager);
  const post = await discord.until(
    () => discord.posts(dm).find((one) => /Everything recorded/.test(one.content)),
    'it is',
  );
  assert.equal(discord.state.files.get(post.id)?.length, 2);
});

test('while a name is being typed, what it can become is offered', async () => {
  const channel = newChannel();
  const typed = discord.type(boss, channel, ['settings', 'set'], { name: 'temp' });
  const choices = await discord.until(() => typed.choices, 'choices are offered');
  assert.deepEqual(choices, [
    { name: 'temperature', value: 'temperature' },
    { name: 'workspace.temperature', value: 'workspace.temperature' },
  ]);
});

test('Stop ends the answer for whoever asked, and for nobody else; Retry answers again', async () => {
  const channel = newChannel();
  model.answerWith(() => ({ pieces: ['It begins '], hang: 'after-pieces' }));
  const question = discord.say(stage.ann, channel, `${discord.mention} talk`);
  const post = await discord.until(
    () => piecesOf(discord.posts(channel), question.id).find((one) => one.content.startsWith('It begins')),
    'it begins',
  );
  const refused = discord.press(stage.ben, channel, post, 'Stop');
  await discord.until(() => refused.answers.some((one) => /only whoever asked/i.test(one.content)), 'it is refused');
  assert.ok((refused.answers.at(-1)?.flags ?? 0) & MessageFlags.Ephemeral);
  discord.press(stage.ann, channel, post, 'Stop');
  await discord.until(() => /stopped by Ann/i.test(post.content), 'the answer is marked as stopped');
  await stage.answerTo(channel, question);
  assert.deepEqual(
    buttonsOf(post).map((one) => one.label),
    ['Retry'],
  );
  model.answerWith(() => 'Short this time.');
  const others = discord.press(stage.ben, channel, post, 'Retry');
  await discord.until(() => others.answers.some((one) => /only whoever asked/i.test(one.content)), 'it is refused');
  discord.press(boss, channel, post, 'Retry');
  await discord.until(() => discord.posts(channel).some((one) => one.content === 'Short this time.'), 'a new answer');
});

test('the slash commands stop and retry do what the buttons do', async () => {
  const channel = newChannel();
  model.answerWith(() => ({ pieces: ['Endless '], hang: 'after-pieces' }));
  const question = discord.say(stage.ann, channel, `${discord.mention} talk`);
  await discord.until(() => piecesOf(discord.posts(channel), question.id)[0], 'it begins');
  assert.match(await order(stage.ben, channel, 'stop'), /Only whoever asked/i);
  assert.match(await order(stage.ann, channel, 'stop'), /Stopped/);
  await stage.answerTo(channel, question);
  assert.match(await order(stage.ben, channel, 'retry'), /only whoever asked/i);
  model.answerWith(() => 'Again, then.');
  const again = discord.slash(stage.ann, channel, ['retry']);
  await announced(channel, again, /^Again, then\.$/);
});

test('where it may not write in the channel, a command is still answered, privately', async () => {
  const channel = newChannel();
  discord.state.denied.set(channel.id, 50013);
  assert.match(await order(stage.ann, channel, 'role set', { text: 'Be brief.' }), /set the role: Be brief/);
});

test('an interaction that comes too late to be answered is answered directly', async () => {
  const late = await setStage({ after: (run) => after(run) }, { discord: { ackMs: 0 } });
  late.discord.slash(late.ann, late.channel, ['role', 'show']);
  const dm = late.discord.world.dm(late.ann);
  await late.discord.until(() => late.discord.posts(dm).find((one) => /The role here/.test(one.content)), 'it is told');
});

test('nothing that was sent is refused by Discord', () => {
  assert.deepEqual(discord.refused(), []);
});
