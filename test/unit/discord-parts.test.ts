import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { PermissionFlagsBits } from 'discord-api-types/v10';
import { mayFetch } from '../../adapters/discord/attachments.ts';
import { commandOf, toLines, toRows } from '../../adapters/discord/buttons.ts';
import { remedyFor } from '../../adapters/discord/connection.ts';
import { toPlatformError, troubleOf } from '../../adapters/discord/failure.ts';
import { maySteer, toCommandEvent, typedIn } from '../../adapters/discord/interaction.ts';
import { areRegistered, toSlashCommands, toSuggestions } from '../../adapters/discord/slash-commands.ts';
import { interactionSchema } from '../../adapters/discord/wire.ts';
import { commands } from '../../src/commands/list.ts';
import { refusedCommands } from '../sim/discord-validate.ts';

test('every command becomes one that Discord takes', () => {
  const made = toSlashCommands(commands);
  assert.equal(refusedCommands(made), undefined);
  const forget = made.find((one) => one.name === 'forget');
  assert.deepEqual(
    forget?.options?.find((one) => one.name === 'user'),
    {
      type: 1,
      name: 'user',
      description: 'Erases everything a person wrote, in every channel here',
      options: [{ type: 6, name: 'who', description: 'the name as I show it, or the id', required: true }],
    },
  );
});

test('commands are registered again only where they differ, whatever Discord adds or reorders', () => {
  const made = toSlashCommands(commands);
  const there = made.map((one) => ({
    id: '1',
    version: '2',
    nsfw: false,
    default_member_permissions: null,
    ...Object.fromEntries(Object.entries(structuredClone(one)).reverse()),
  }));
  assert.equal(areRegistered(made, there.reverse()), true);
  assert.equal(areRegistered(made, there.slice(1)), false);
  assert.equal(
    areRegistered(
      made,
      made.map((one) => ({ ...one, description: 'another' })),
    ),
    false,
  );
  assert.equal(areRegistered(made, 'rubbish'), false);
});

test('a group that is also a command is refused before Discord refuses it', () => {
  const spec = { help: 'h', options: [] };
  assert.throws(
    () =>
      toSlashCommands([
        { ...spec, path: ['a'] },
        { ...spec, path: ['a', 'b'] },
      ]),
    /both/,
  );
});

test('at most 25 suggestions, what begins so first', () => {
  const choices = [...Array.from({ length: 40 }, (_, n) => `x.model${n}`), 'model', 'Mode'];
  const names = toSuggestions(choices, 'mod').map((one) => one.name);
  assert.equal(names.length, 25);
  assert.deepEqual(names.slice(0, 2), ['model', 'Mode']);
});

test('a button carries its command; what is too long for one is offered in words', () => {
  const actions = [
    { label: 'Stop', command: 'stop' },
    { label: 'Yes', command: `forget user "${'n'.repeat(100)}" confirm` },
  ];
  const [row] = toRows(actions);
  assert.deepEqual(
    row?.components.map((one) => commandOf(one.custom_id)),
    ['stop'],
  );
  assert.match(toLines(actions), /^\nYes: mention me with `\/forget user/);
  assert.deepEqual(toRows([]), []);
  assert.equal(commandOf('somebody-elses'), undefined);
});

test('attachments are fetched from Discord and from the configured address, and from nowhere else', () => {
  const good = 'https://cdn.discordapp.com/attachments/1/2/a.txt?ex=1';
  assert.equal(mayFetch(good, undefined), true);
  for (const bad of [
    'http://cdn.discordapp.com/a.txt',
    'https://cdn.discordapp.com.evil.example/a.txt',
    'https://user@cdn.discordapp.com/a.txt',
    'https://cdn.discordapp.com:8443/a.txt',
    'file:///etc/passwd',
    'http://169.254.169.254/latest',
    'not an address',
  ]) {
    assert.equal(mayFetch(bad, undefined), false, bad);
  }
  assert.equal(mayFetch('http://127.0.0.1:4000/attachments/a', 'http://127.0.0.1:4000/api'), true);
  assert.equal(mayFetch('http://127.0.0.1:4001/attachments/a', 'http://127.0.0.1:4000/api'), false);
});

const base = { id: '1573554134404038656', application_id: '1', token: 'key', channel_id: '5', guild_id: '4' };
const user = { id: '2', username: 'ann' };

test('a slash command keeps its path and options, whatever their types', () => {
  const options = [{ type: 1, name: 'last', options: [{ type: 4, name: 'n', value: 3 }] }];
  const member = { user, roles: ['9'], permissions: String(PermissionFlagsBits.ManageGuild) };
  const interaction = interactionSchema.parse({ ...base, type: 2, member, data: { name: 'forget', options } });
  assert.deepEqual(typedIn(interaction), { path: ['forget', 'last'], options: { n: '3' }, focused: undefined });
  const event = toCommandEvent(interaction, { id: '5', guild: '4', parent: undefined });
  assert.deepEqual(event?.author, { id: '2', name: 'ann', admin: true, roles: ['9'] });
});

test('a button knows the question it is about; other components are none of ours', () => {
  const message = { id: '8', flags: 0, message_reference: { message_id: '7' } };
  const press = (id: string) => interactionSchema.parse({ ...base, type: 3, user, data: { custom_id: id }, message });
  const place = { id: '5', guild: undefined, parent: undefined };
  const event = toCommandEvent(press('do:retry'), place);
  assert.deepEqual([event?.command, event?.target, event?.direct], [{ line: 'retry' }, '7', true]);
  assert.equal(toCommandEvent(press('other'), place), undefined);
});

test('who may manage the server is read from the interaction', () => {
  assert.equal(maySteer(String(PermissionFlagsBits.Administrator)), true);
  assert.equal(maySteer(String(PermissionFlagsBits.SendMessages | PermissionFlagsBits.ManageChannels)), false);
});

test('only what passes is worth another attempt', () => {
  assert.equal(troubleOf(new DOMException('slow', 'AbortError')), 'passing');
  assert.equal(
    troubleOf(new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) })),
    'passing',
  );
  assert.equal(toPlatformError(new Error('rubbish'), 1000).retryAt, undefined);
  assert.equal(toPlatformError(new DOMException('slow', 'AbortError'), 1000).retryAt, 6000);
});

test('each close code that cannot recover has a remedy, the others none', () => {
  for (const code of [4004, 4010, 4011, 4012, 4013, 4014]) {
    assert.equal(remedyFor(code)?.kind, 'config');
    assert.match(remedyFor(code)?.message ?? '', /DISCORD_BOT_TOKEN/);
  }
  for (const code of [1000, 1006, 4000, 4007, 4009]) assert.equal(remedyFor(code), undefined);
});

test('the invite link in the guide asks for exactly what the adapter needs', () => {
  const needed = ['ViewChannel', 'SendMessages', 'SendMessagesInThreads', 'ReadMessageHistory', 'AttachFiles'] as const;
  const number = needed.map((name) => PermissionFlagsBits[name]).reduce((sum, bit) => sum | bit, 0n);
  const guide = readFileSync(path.resolve(import.meta.dirname, '../../docs/discord.md'), 'utf8');
  const links = [...guide.matchAll(/permissions=(\d+)/g)].map((match) => match[1]);
  assert.ok(links.length > 0);
  for (const link of links) assert.equal(link, String(number));
});
