import { toManifest } from '../adapters/slack/manifest.ts';
import { toChannelId } from '../src/event.ts';
import { slackTokens, startSlackServer } from '../test/sim/slack.ts';
import type { Program } from './process.ts';
import { createAnswers, type Stage } from './stage.ts';

/** A Slack with one bot in it, which it sends signed requests; the same events to whoever it is. */
export async function setSlack(count: number): Promise<Stage> {
  const { bot_events: events } = toManifest([], undefined).settings.event_subscriptions;
  const slack = await startSlackServer({ events });
  const ann = slack.world.addPerson('Ann');
  const places = Array.from({ length: count }, (_, n) => slack.world.addChannel(`channel-${n}`));
  const answers = createAnswers((channel) => [
    slack.world.inPlace(channel).slice(-3),
    slack.requests.filter(({ body }) => body.channel === channel).slice(-4),
  ]);
  let isLast = (_method: string, _body: string): boolean => false;
  slack.gateWith(async ({ method, body }, when) => {
    if (when === 'after' && isLast(method, JSON.stringify(body.blocks ?? ''))) answers.end(String(body.channel));
    return 'pass';
  });
  return {
    name: 'slack',
    apiUrl: slack.url,
    env: { SLACK_BOT_TOKEN: slackTokens.bot, SLACK_SIGNING_SECRET: slackTokens.signing },
    ownEnv: { SLACK_API_URL: slack.url, SLACK_PORT: '0' },
    channels: places.map(({ id }) => toChannelId({ platform: 'slack', workspace: slack.world.team, channel: id })),

    async connect(program: Program, ending) {
      const shown = (method: string): boolean => method === 'chat.update' || method === 'chat.postMessage';
      isLast = (method, blocks) =>
        ending === 'buttons' ? shown(method) && blocks.includes('"retry"') : method === ending;
      slack.delivery.useUrl(await program.address);
    },

    async ask(n, text) {
      const place = places[n % places.length];
      if (place === undefined) throw new Error('no such channel');
      const answered = answers.begin(place.id);
      slack.say(ann, place, `${slack.mention} ${text}`);
      await answered;
    },

    takeAcks() {
      const waits = slack.delivery.deliveries.map(({ ack, sentAt }) =>
        ack === undefined ? Number.POSITIVE_INFINITY : ack.at - sentAt,
      );
      slack.delivery.deliveries.length = 0;
      slack.requests.length = 0;
      return waits;
    },

    close: () => slack.close(),
  };
}
