import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { snowflakeAt, snowflakeMs, toChannel, toNonce, toPlace } from '../../adapters/discord/ids.ts';
import type { Names } from '../../adapters/discord/text.ts';
import { isOwnMention, toText } from '../../adapters/discord/text.ts';
import { type Around, toDeleteEvent, toEditEvent, toMessageEvent } from '../../adapters/discord/to-event.ts';
import { messageSchema, type WireMessage } from '../../adapters/discord/wire.ts';

const self = '100000000000000001';
const ann = { id: '200000000000000001', username: 'ann_77', global_name: 'Ann' };
const guild = { id: '400000000000000001', guild: '300000000000000001', parent: undefined };
const around: Around = {
  self,
  ownRoles: new Set(['500000000000000001']),
  role: (id) => (id === '500000000000000002' ? 'Crew' : undefined),
  channel: (id) => (id === guild.id ? 'general' : undefined),
  isAdmin: (_, roles) => roles.includes('boss'),
};

function said(content: string, more: object = {}): WireMessage {
  const base = { id: '1573554134404038656', channel_id: guild.id, author: ann, content, type: 0 };
  const mentions = content.includes(`<@${self}>`) ? [{ id: self, username: 'bot' }] : [];
  return messageSchema.parse({ ...base, mentions, ...more });
}

function textOf(content: string, more: object = {}): string {
  return toText(said(content, more), around);
}

test('the own mention is no part of what is said, wherever it stands', () => {
  assert.equal(textOf(`<@${self}> hello`), 'hello');
  assert.equal(textOf(`hello <@${self}>`), 'hello');
  assert.equal(textOf(`so <@${self}> what now?`), 'so what now?');
  assert.equal(textOf(`one\n<@${self}> two`), 'one\ntwo');
  assert.equal(textOf(`<@!${self}>  /role show`, { mentions: [{ id: self, username: 'bot' }] }), '/role show');
  assert.equal(textOf('<@&500000000000000001> hello', { mention_roles: ['500000000000000001'] }), 'hello');
});

test('what stands in code is left as it is written', () => {
  assert.equal(textOf(`\`<@${self}>\` and \`<@${ann.id}>\``, { mentions: [] }), `\`<@${self}>\` and \`<@${ann.id}>\``);
});

test('names are those people are shown by here', () => {
  const mentions = [{ ...ann, member: { nick: 'Captain', roles: [] } }];
  assert.equal(
    textOf(`<@${ann.id}> and <#${guild.id}> and <#1>`, { mentions }),
    '@Captain and #general and #unknown channel',
  );
  assert.equal(textOf('<@&500000000000000002>', { mention_roles: ['500000000000000002'] }), '@Crew');
});

test('a message says how its channel is called, where that is known', () => {
  assert.equal(toMessageEvent(said('hello'), guild, around)?.place, 'general');
  assert.equal(toMessageEvent(said('hello'), { ...guild, id: '400000000000000009' }, around)?.place, undefined);
  const thread = { ...guild, id: '400000000000000009', parent: guild.id };
  assert.equal(toMessageEvent(said('hello'), thread, around)?.place, 'general (thread)', 'not its own name');
});

test('stickers and forwarded messages are told', () => {
  assert.equal(textOf('', { sticker_items: [{ name: 'Wave' }] }), '[sticker: Wave]');
  const snapshots = [{ message: { content: 'old words' } }];
  assert.equal(textOf('', { message_snapshots: snapshots }), '[forwarded message]\nold words');
});

test('no text breaks it, and no other words are lost', () => {
  const names: Names = around;
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (content) => {
      if (/<[@#:/at]/.test(content)) return;
      assert.equal(toText(said(content), names), content.trim());
    }),
  );
});

test('a reply to the bot is addressed to it, one to somebody else is not', () => {
  const reply = (author: object) =>
    toMessageEvent(
      said('yes', { type: 19, message_reference: { message_id: '7' }, referenced_message: { author } }),
      guild,
      around,
    );
  assert.equal(reply({ id: self, username: 'bot', bot: true })?.to, 'reply');
  assert.equal(reply(ann)?.to, 'none');
  assert.equal(reply(ann)?.replyTo, '7');
});

test('whoever is only replied to is not mentioned', () => {
  assert.equal(isOwnMention(said('yes', { mentions: [{ id: self, username: 'bot' }] }), around), false);
});

test('@everyone, bots, webhooks and system messages address nobody', () => {
  assert.equal(toMessageEvent(said('@everyone hi', { mention_everyone: true }), guild, around)?.to, 'none');
  for (const more of [{ author: { ...ann, bot: true } }, { webhook_id: '1' }, { type: 7 }, { type: 21 }]) {
    assert.equal(toMessageEvent(said(`<@${self}> hi`, more), guild, around), undefined);
    assert.equal(
      toEditEvent(said('x', { ...more, edited_timestamp: '2026-01-01T00:00:00Z' }), guild, around),
      undefined,
    );
  }
});

test('a thread is a channel within its channel, and knows the message it hangs from', () => {
  const thread = { id: '600000000000000001', guild: guild.guild, parent: guild.id };
  const event = toMessageEvent(said('hi'), thread, around);
  assert.equal(event?.channel, `discord/${guild.guild}/${guild.id}/${thread.id}`);
  assert.deepEqual([event?.to, event?.branchedFrom], ['thread', thread.id]);
});

test('every place is found again from its channel id', () => {
  const id = fc.bigInt({ min: 1n, max: 2n ** 63n }).map(String);
  fc.assert(
    fc.property(id, fc.option(id, { nil: undefined }), fc.option(id, { nil: undefined }), (own, server, parent) => {
      const place = { id: own, guild: server, parent: server === undefined ? undefined : parent };
      assert.deepEqual(toPlace(toChannel(place)), place);
    }),
  );
});

test('each delivery of the same thing is the same event', () => {
  const place = guild;
  assert.deepEqual(toMessageEvent(said('hi'), place, around), toMessageEvent(said('hi'), place, around));
  assert.deepEqual(toDeleteEvent(['2', '1'], place), toDeleteEvent(['1', '2', '2'], place));
  const edited = { edited_timestamp: '2026-05-01T10:00:00.500Z' };
  assert.equal(
    toEditEvent(said('a', edited), place, around)?.id,
    `edit:1573554134404038656:${Date.parse(edited.edited_timestamp)}`,
  );
  assert.equal(toEditEvent(said('a'), place, around), undefined);
  assert.equal(toDeleteEvent([], place), undefined);
});

test('the time in an id is the time it was made', () => {
  assert.equal(new Date(snowflakeMs('175928847299117063')).toISOString(), '2016-04-30T11:18:25.796Z');
  fc.assert(
    fc.property(fc.integer({ min: 1_420_070_400_000, max: 4_000_000_000_000 }), (ms) => {
      assert.equal(snowflakeMs(snowflakeAt(ms)), ms);
    }),
  );
});

test('a nonce fits, and differs where anything differs', () => {
  assert.ok(toNonce('seed', 1, 2).length <= 25);
  assert.notEqual(toNonce('a', 1, 0), toNonce('a', 0, 1));
});
