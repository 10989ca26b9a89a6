import { startSlack } from '../../adapters/slack/slack.ts';
import { commands } from '../../src/commands/list.ts';
import { createLog } from '../../src/log.ts';
import { splitAnswer } from '../../src/turn/split.ts';
import { slackTokens, startSlackServer } from '../sim/slack.ts';
import { buttonsOf, type Message, type Person, type Place, textOf } from '../sim/slack-world.ts';
import { type AdapterHarness, describeAdapter, type Shown } from './adapter.ts';
import { describeTalk } from './adapter-talk.ts';

/** As it would be sent; in JSON a backslash is two. */
const calls = /<\\*(!(channel|here|everyone)|!subteam\^|@[UW])/;
/** Where Slack would look for names to call in a text by itself. */
const written = ['chat.postMessage', 'chat.update', 'chat.postEphemeral'];

const slackHarness: AdapterHarness = {
  name: 'slack',
  pieceChars: 12_000,

  async start(openIntake) {
    const slack = await startSlackServer();
    const channel = slack.world.addChannel('general');
    const people = new Map<string, Person>();
    const where = new Map<string, { place: Place; message: Message }>();
    const person = (name: string): Person => {
      const known = people.get(name) ?? slack.world.addPerson(name);
      people.set(name, known);
      return known;
    };
    const adapter = startSlack({
      openIntake,
      log: createLog({ level: 'silent', format: 'json', secrets: [] }),
      now: Date.now,
      botToken: slackTokens.bot,
      line: { appToken: slackTokens.app },
      apiUrl: slack.url,
      catchUpMs: 0,
      commands,
      split: splitAnswer,
      onStray() {},
      onFatal: (error) => {
        throw error;
      },
    });
    await slack.until(() => adapter.health().ready, 'it is connected');

    const say = (name: string, at: Place, text: string, said: Said = {}): string => {
      const message = slack.say(person(name), at, escaped(text), said);
      where.set(message.ts, { place: at, message });
      return message.ts;
    };
    const placed = (id: string): { place: Place; message: Message } => {
      const own = slack.world.find(channel.id, id);
      const found = where.get(id) ?? (own && { place: channel, message: own });
      if (found === undefined) throw new Error('no such message');
      return found;
    };

    return {
      mention: slack.mention,
      say(name, text, { thread, files = [] } = {}) {
        const attached = files.map((one) => slack.attach(one.name, 'text/plain', Buffer.from(one.text)));
        const said = attached.length === 0 ? {} : { files: attached };
        return say(name, channel, text, thread === undefined ? said : { ...said, thread });
      },
      sayTo: (post, name, text) => say(name, channel, text, { thread: placed(post).message.thread_ts ?? post }),
      sayAsRobot: (text) => void slack.say(person('Robot'), channel, text, { changes: { bot_id: 'B9' } }),
      sayDirectly: (name, text) => say(name, slack.world.im(person(name).id), text),
      edit: (id, text) => slack.edit(placed(id).place, placed(id).message, text),
      remove: (id) => slack.remove(placed(id).place, id),
      redeliver: (id) => slack.repeat(placed(id).message),
      order(name, path, options) {
        const { by, ...others } = options;
        const typed = [...path, ...Object.values(others), ...(by === undefined ? [] : ['by', by])];
        slack.command(person(name), channel, escaped(typed.join(' ')));
      },
      press(name, post, label) {
        const message = slack.world.find(channel.id, post);
        if (message !== undefined) slack.press(person(name), channel, message, label);
      },
      openThread: (on) => on,
      posts: (thread) => slack.posts(channel, thread).map(toShown),
      notes: () => slack.state.statuses.map((one) => one.status),
      toldPrivately(name) {
        const direct = slack.posts(slack.world.im(person(name).id)).map(textOf);
        return [...slack.toldPrivately(person(name)), ...direct];
      },
      filesOf: (name) =>
        slack.state.shared
          .filter((one) => one.channel === slack.world.im(person(name).id).id)
          .map((one) => ({ name: one.name, text: one.body })),
      pinged() {
        const { requests, responses } = slack;
        const sent = [...requests.map((one) => one.body), ...[...responses.values()].map((one) => one.said)];
        const isLeftOpen = requests.some(({ method, body }) => written.includes(method) && body.parse !== 'none');
        return isLeftOpen || sent.some((one) => calls.test(JSON.stringify(one)));
      },
      until: (check, what) => slack.until(check, what),
      async close() {
        await adapter.pause();
        await adapter.close();
        await slack.close();
      },
    };
  },
};

type Said = Parameters<Awaited<ReturnType<typeof startSlackServer>>['say']>[3];

/** As Slack sends what people type; what stands for the bot is meant. */
function escaped(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/&lt;(@U0BOT)&gt;/g, '<$1>');
}

function toShown(message: Message): Shown {
  return { id: message.ts, text: textOf(message), buttons: buttonsOf(message).map((one) => one.label) };
}

describeAdapter(slackHarness);
await describeTalk(slackHarness);
