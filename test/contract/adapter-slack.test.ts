import { startSlack } from '../../adapters/slack/slack.ts';
import { commands } from '../../src/commands/list.ts';
import { createLog } from '../../src/log.ts';
import { splitAnswer } from '../../src/turn/split.ts';
import { slackTokens, startSlackServer } from '../sim/slack.ts';
import { buttonsOf, type Message, type Person, type Place, textOf } from '../sim/slack-world.ts';
import { type AdapterHarness, describeAdapter, type Shown } from './adapter.ts';

const bracketed = /<(!(channel|here|everyone)|!subteam\^|@[UW])/;

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
      commands,
      split: splitAnswer,
      onFatal: (error) => {
        throw error;
      },
    });
    await slack.until(() => adapter.health().ready, 'it is connected');

    const say = (name: string, at: Place, text: string, thread?: string): string => {
      const message = slack.say(person(name), at, text, thread === undefined ? {} : { thread });
      where.set(message.ts, { place: at, message });
      return message.ts;
    };
    const placed = (id: string): { place: Place; message: Message } => {
      const found = where.get(id);
      if (found === undefined) throw new Error('no such message');
      return found;
    };

    return {
      mention: slack.mention,
      say: (name, text, { thread } = {}) => say(name, channel, text, thread),
      sayDirectly: (name, text) => say(name, slack.world.im(person(name).id), text),
      edit: (id, text) => slack.edit(placed(id).place, placed(id).message, text),
      remove: (id) => slack.remove(placed(id).place, id),
      redeliver: (id) => slack.repeat(placed(id).message),
      order(name, path, options) {
        slack.command(person(name), channel, [...path, ...Object.values(options)].join(' '));
      },
      press(name, post, label) {
        const message = slack.world.find(channel.id, post);
        if (message !== undefined) slack.press(person(name), channel, message, label);
      },
      openThread: (on) => on,
      posts: (thread) => slack.posts(channel, thread).map(toShown),
      toldPrivately(name) {
        const direct = slack.posts(slack.world.im(person(name).id)).map(textOf);
        return [...slack.toldPrivately(person(name)), ...direct];
      },
      pinged: () => slack.requests.some(({ body }) => bracketed.test(JSON.stringify(body))),
      until: (check, what) => slack.until(check, what),
      async close() {
        await adapter.pause();
        await adapter.close();
        await slack.close();
      },
    };
  },
};

function toShown(message: Message): Shown {
  return { id: message.ts, text: textOf(message), buttons: buttonsOf(message).map((one) => one.label) };
}

describeAdapter(slackHarness);
