import { botScopes, toManifest } from '../../adapters/slack/manifest.ts';
import type { ModelServerOptions } from '../sim/model-server.ts';
import { startModelServer } from '../sim/model-server.ts';
import { type SlackOptions, slackTokens, startSlackServer } from '../sim/slack.ts';
import { buttonsOf, type Message, type Place, textOf } from '../sim/slack-world.ts';
import { newFolder, type Program, startProgram } from './program.ts';

/** The real program between a Slack and a model server of our own. */

export type Stage = Awaited<ReturnType<typeof setStage>>;
export type Mode = 'socket' | 'http';

export interface StageOptions {
  slack?: SlackOptions;
  answer?: NonNullable<ModelServerOptions['answer']>;
  env?: Record<string, string>;
  mode?: Mode;
  /** By default the program is started. */
  start?: boolean;
}

export async function setStage(t: { after(run: () => Promise<void> | void): void }, options: StageOptions = {}) {
  const mode = options.mode ?? 'socket';
  const { bot_events: events } = toManifest([], undefined).settings.event_subscriptions;
  const slack = await startSlackServer({ retryMs: 500, scopes: botScopes(), events, ...options.slack });
  const model = await startModelServer(options.answer === undefined ? {} : { answer: options.answer });
  const folder = newFolder(t);
  const programs: Program[] = [];
  const line: Record<string, string> =
    mode === 'socket'
      ? { SLACK_APP_TOKEN: slackTokens.app }
      : { SLACK_SIGNING_SECRET: slackTokens.signing, SLACK_PORT: '0' };
  const env = {
    DATA_DIR: folder,
    SLACK_BOT_TOKEN: slackTokens.bot,
    SLACK_API_URL: slack.url,
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: 'test-key-0123456789',
    OPENAI_MODEL: 'gpt-4.1-mini',
    LOG_FORMAT: 'json',
    ...line,
    ...options.env,
  };
  let requestUrl = '';

  async function start(more: Record<string, string> = {}): Promise<Program> {
    const before = slack.delivery.counts.connected;
    const program = startProgram({ args: [], env: { ...env, ...more } });
    programs.push(program);
    const ended = program.ended.then((code) => {
      throw new Error(`the program ended with ${code}: ${program.errors()} ${program.output()}`);
    });
    const connected =
      mode === 'socket'
        ? slack.until(() => slack.delivery.counts.connected > before, 'the program is connected', 60_000)
        : listening(program);
    await Promise.race([connected, ended]);
    ended.catch(() => undefined);
    return program;
  }

  async function listening(program: Program): Promise<void> {
    const told = await program.line((line) => /waiting for Slack on/.test(String(line.msg)));
    requestUrl = /http:\S+/.exec(String(told.msg))?.[0] ?? '';
    slack.delivery.useUrl(requestUrl);
  }

  t.after(async () => {
    for (const program of programs) program.child.kill('SIGKILL');
    await slack.close();
    await model.close();
  });
  const ann = slack.world.addPerson('Ann');
  const ben = slack.world.addPerson('Ben');
  const root = slack.world.addPerson('Root', { admin: true });
  const channel = slack.world.addChannel('general');
  if (options.start !== false) await start();

  return {
    slack,
    model,
    channel,
    env,
    start,
    ann,
    ben,
    root,
    requestUrl: () => requestUrl,
    program: (): Program => {
      const last = programs.at(-1);
      if (last === undefined) throw new Error('nothing was started');
      return last;
    },

    /** The pieces of the answer to a message as they stand when it is done: Retry is offered under the last. */
    async answerTo(place: Place, message: Message, ms = 15_000): Promise<Message[]> {
      return await slack.until(
        () => {
          const pieces = piecesOf(slack.posts(place), message);
          const last = pieces.at(-1);
          return last !== undefined && buttonsOf(last).some((one) => one.value === 'retry') ? pieces : undefined;
        },
        `“${message.text.slice(0, 40)}” is answered`,
        ms,
      );
    },

    /** What the model was asked last. */
    lastPrompt: (): string => JSON.stringify(model.requests.at(-1)?.messages.map((one) => one.text) ?? []),
  };
}

/** What answers this message, by what stands in its buttons, or by its place in the thread. */
export function piecesOf(posts: readonly Message[], question: Message): Message[] {
  const thread = question.thread_ts ?? question.ts;
  const isNotice = (one: Message): boolean => one.metadata?.event_type === 'channelore_notice';
  const inThread = posts.filter((one) => one.thread_ts === thread && Number(one.ts) > Number(question.ts));
  return inThread.filter((one) => !isNotice(one));
}

/** As people read it; what keeps a call from calling is not seen. */
export function shownText(messages: readonly Message[]): string {
  return messages.map((one) => textOf(one).replaceAll('\u2060', '')).join('\n');
}
