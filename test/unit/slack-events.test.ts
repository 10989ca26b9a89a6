import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toClickEvent, toHomeEvents, toSlashEvent } from '../../adapters/slack/command.ts';
import { idsIn, toText } from '../../adapters/slack/text.ts';
import {
  type Around,
  isTombstone,
  toDeleteEvents,
  toEditEvent,
  toMessageEvent,
} from '../../adapters/slack/to-event.ts';
import { changeSchema, messageSchema, type WireMessage } from '../../adapters/slack/wire.ts';

const around: Around = {
  self: 'U0BOT',
  team: 'T1',
  person: (id) => (id === 'U2' ? 'Ben' : undefined),
  channel: (id) => (id === 'C2' ? 'ideas' : undefined),
  isGroup: (id) => (id.startsWith('X') ? undefined : id.startsWith('G')),
};
const ann = { id: 'U1', name: 'Ann', admin: false, roles: [] };
const where = { team: 'T1', mayRespond: (url: string) => url.startsWith('https://hooks.slack.com/') };

const message = (more: Partial<WireMessage> = {}): WireMessage =>
  messageSchema.parse({
    type: 'message',
    user: 'U1',
    text: '<@U0BOT> hello',
    ts: '1700000000.000100',
    channel: 'C1',
    ...more,
  });
const event = (more: Partial<WireMessage> = {}) => toMessageEvent(message(more), ann, around);

test('a mention in a channel is the channel’s, by its time stamp, whichever event tells of it', () => {
  const said = event({ channel_type: 'channel', team: 'T9' });
  assert.deepEqual(said, {
    kind: 'message',
    id: '1700000000.000100',
    channel: 'slack/T1/C1',
    at: 1_700_000_000_000,
    messageId: '1700000000.000100',
    author: ann,
    text: 'hello',
    to: 'mention',
    attachments: [],
    origin: { team: 'T9' },
  });
  assert.equal(event()?.id, said?.id);
  assert.equal(event({ channel: 'C2' })?.place, 'ideas');
});

test('a reply in a thread is the thread’s, and knows the message the thread hangs from', () => {
  const said = event({ thread_ts: '1699999999.000100', text: 'and?' });
  assert.deepEqual(
    [said?.channel, said?.branchedFrom, said?.to],
    ['slack/T1/C1/1699999999.000100', '1699999999.000100', 'thread'],
  );
  const parent = event({ thread_ts: '1700000000.000100' });
  assert.deepEqual([parent?.channel, parent?.branchedFrom], ['slack/T1/C1', undefined]);
});

test('direct messages are addressed; in a group’s it depends on who speaks; a channel’s are only by mention', () => {
  assert.equal(event({ channel: 'D1', text: 'hi' })?.to, 'direct');
  assert.equal(event({ channel: 'G1', channel_type: 'mpim', text: 'hi' })?.to, 'group');
  assert.equal(event({ text: 'hi' })?.to, 'none');
});

test('what is said in a group’s direct messages is private, whichever event tells of it', () => {
  const thread_ts = '1699999999.000100';
  for (const more of [{}, { text: 'hi' }, { thread_ts }, { channel_type: 'mpim' }]) {
    assert.equal(event({ channel: 'G1', ...more })?.private, true, JSON.stringify(more));
  }
  // New groups have ids like channels.
  assert.equal(event({ channel: 'C1', channel_type: 'mpim' })?.private, true);
  assert.equal(event({ channel: 'X1' })?.private, true, 'where nobody can say what it is');
  assert.deepEqual(
    [event()?.private, event({ channel: 'X1', channel_type: 'channel' })?.private],
    [undefined, undefined],
  );
});

test('bots, Slack itself and its notices say nothing', () => {
  for (const more of [
    { bot_id: 'B1' },
    { user: 'U0BOT' },
    { user: 'USLACKBOT' },
    { user: undefined },
    { subtype: 'channel_join' },
    { subtype: 'bot_message' },
  ]) {
    assert.equal(event(more), undefined, JSON.stringify(more));
  }
  assert.notEqual(event({ subtype: 'thread_broadcast' }), undefined);
  assert.notEqual(event({ subtype: 'file_share' }), undefined);
});

test('files are named with where they are kept, and one without an address is still named', () => {
  const files = [
    { name: 'a.txt', mimetype: 'text/plain', size: 3, url_private: 'https://files.slack.com/a' },
    { mode: 'hidden_by_limit' },
  ];
  assert.deepEqual(event({ files })?.attachments, [
    { name: 'a.txt', mime: 'text/plain', bytes: 3, source: 'https://files.slack.com/a' },
    { name: 'file', mime: 'application/octet-stream', bytes: 0, source: '' },
  ]);
});

test('text is read as people see it', () => {
  const cases: [string, string][] = [
    ['<@U0BOT> hi <@U2>, <@U3|carl> and <@U4>', 'hi @Ben, @carl and @somebody'],
    ['hi <@U0BOT> there', 'hi there'],
    ['see <#C2>, <#C3|old> and <#C4>', 'see #ideas, #old and #unknown-channel'],
    ['<!here> <!channel> <!subteam^S1|@crew> <!subteam^S2>', '@here @channel @crew @unknown-group'],
    ['<!date^1700000000^{date}|14 Nov>', '14 Nov'],
    ['<https://a.org/?x=1&amp;y=2>', 'https://a.org/?x=1&y=2'],
    [
      '<https://a.org|a.org> <https://a.org|here> <mailto:a@b.org|a@b.org>',
      'https://a.org here (https://a.org) a@b.org',
    ],
    ['1 &lt; 2 &amp;&amp; 3 &gt; 2, &amp;lt;', '1 < 2 && 3 > 2, &lt;'],
    ['&lt;@U2&gt;', '<@U2>'],
  ];
  for (const [given, read] of cases) assert.equal(toText({ text: given }, around), read, given);
});

test('a forwarded message is read with it', () => {
  const attachments = [{ is_share: true, text: 'the plan &amp; more', author_name: 'Ben' }, { text: 'a preview' }];
  assert.equal(
    toText({ text: '<@U0BOT> what of this?', attachments }, around),
    'what of this?\n[forwarded message from Ben]\nthe plan & more',
  );
});

test('the files of a forwarded message come with it, those of a preview do not', () => {
  const file = { name: 'a.txt', mimetype: 'text/plain', size: 3, url_private: 'https://files.slack.com/a' };
  const attachments = [
    { is_share: true, text: 'see', files: [file] },
    { text: 'a preview', files: [{ ...file, name: 'b.txt' }] },
  ];
  assert.deepEqual(
    event({ attachments })?.attachments.map((one) => one.name),
    ['a.txt'],
  );
});

test('only names that are not in the text are looked up', () => {
  assert.deepEqual(idsIn('<@U2> <@U2> <@U3|carl> <#C2> <#C3|x> <!here> &lt;@U9&gt;'), {
    people: ['U2'],
    channels: ['C2'],
  });
});

const change = (now: object, before: object = {}) =>
  changeSchema.parse({
    subtype: 'message_changed',
    channel: 'C1',
    message: { user: 'U1', ts: '1700000000.000100', text: 'new', ...now },
    previous_message: { user: 'U1', ts: '1700000000.000100', text: 'old', ...before },
  });

test('an edit is one only where somebody has edited', () => {
  const edit = toEditEvent(change({ edited: { ts: '1700000050.000000' } }), around);
  assert.deepEqual([edit?.messageId, edit?.text, edit?.at], ['1700000000.000100', 'new', 1_700_000_050_000]);
  assert.equal(toEditEvent(change({}), around), undefined);
  assert.equal(toEditEvent(change({ edited: { ts: '1.0' }, text: 'old' }), around), undefined);
  assert.equal(toEditEvent(change({ edited: { ts: '1.0' } }, { edited: { ts: '1.0' } }), around), undefined);
  assert.equal(toEditEvent(change({ edited: { ts: '1.0' }, bot_id: 'B1' }), around), undefined);
});

test('a message with replies is deleted by becoming a tombstone', () => {
  assert.equal(isTombstone(change({ subtype: 'tombstone', user: 'USLACKBOT' })), true);
  assert.equal(isTombstone(change({})), false);
});

test('of a deleted answer of ours both the channel and the thread are told, of a person’s message its own place', () => {
  const deleted_ts = '1700000009.000100';
  const previous = (user: string) => ({ ts: deleted_ts, user, text: '', thread_ts: '1700000000.000100' });
  const of = (user: string) =>
    toDeleteEvents({ channel: 'C1', deleted_ts, previous_message: previous(user) }, around).map((one) => one.channel);
  assert.deepEqual(of('U0BOT'), ['slack/T1/C1/1700000000.000100', 'slack/T1/C1']);
  assert.deepEqual(of('U1'), ['slack/T1/C1/1700000000.000100']);
});

test('a slash command is a line, help where there is none, and is answered at Slack’s own address only', () => {
  const slash = {
    command: '/channelore',
    text: '',
    channel_id: 'D1',
    user_id: 'U1',
    user_name: 'ann',
    trigger_id: '1.2.3',
    response_url: 'https://hooks.slack.com/commands/1',
  };
  const given = toSlashEvent(slash, ' /role show ', ann, 5, where);
  assert.deepEqual([given.command, given.direct, given.at], [{ line: 'role show' }, true, 5]);
  assert.equal(given.origin.respond, 'https://hooks.slack.com/commands/1');
  assert.deepEqual(toSlashEvent(slash, '', ann, 5, where).command, { line: 'help' });
  const foreign = toSlashEvent({ ...slash, response_url: 'https://evil.org' }, '', ann, 5, where);
  assert.equal(foreign.origin.respond, undefined);
});

test('a click is a command about the question, in the conversation the button belongs to', () => {
  const action = {
    action_id: 'do:0',
    block_id: 'do:-:1700000000.000100',
    value: 'stop',
    action_ts: '1700000005.000000',
  };
  const click = {
    user: { id: 'U1' },
    channel: { id: 'C1' },
    container: { message_ts: '1700000001.000000' },
    message: { ts: '1700000001.000000', thread_ts: '1700000000.000100' },
    actions: [action],
  };
  const given = toClickEvent(click, ann, where);
  assert.deepEqual(
    [given?.channel, given?.target, given?.origin.shownIn, given?.at],
    ['slack/T1/C1', '1700000000.000100', '1700000000.000100', 1_700_000_005_000],
  );
  const inThread = { ...click, actions: [{ ...action, block_id: 'do:1700000000.000100:-' }] };
  assert.deepEqual(
    [toClickEvent(inThread, ann, where)?.channel, toClickEvent(inThread, ann, where)?.target],
    ['slack/T1/C1/1700000000.000100', '1700000001.000000'],
  );
  assert.equal(toClickEvent({ ...click, actions: [{ ...action, block_id: 'other' }] }, ann, where), undefined);
});

test('the opened Home tab asks for role, memory and usage, each once', () => {
  const events = toHomeEvents({ user: 'U1', channel: 'D1', tab: 'home', event_ts: '1700000000.000100' }, ann, where);
  assert.deepEqual(
    events.map((one) => one.command),
    [
      { path: ['role', 'show'], options: {} },
      { path: ['memory', 'show'], options: {} },
      { path: ['usage'], options: {} },
    ],
  );
  assert.equal(new Set(events.map((one) => one.id)).size, 3);
});
