import { listenedEvents } from './listening.ts';
import { methodScopes } from './methods.ts';
import { prompts } from './pane.ts';
import { slashName } from './words.ts';

/** The app as Slack is to know it: made from what the code listens to and calls, and from the one list of commands. */

export interface CommandHelp {
  path: readonly string[];
  help: string;
}

/** What Slack asks for before it sends these events. */
const eventScopes: Record<(typeof listenedEvents)[number], readonly string[]> = {
  app_home_opened: [],
  app_mention: ['app_mentions:read'],
  app_uninstalled: [],
  assistant_thread_context_changed: ['assistant:write'],
  assistant_thread_started: ['assistant:write'],
  'message.channels': ['channels:history'],
  'message.groups': ['groups:history'],
  'message.im': ['im:history'],
  'message.mpim': ['mpim:history'],
  tokens_revoked: [],
};

/** For the slash command, and for the files that messages bring. */
const otherScopes = ['commands', 'files:read'];

const maxHintChars = 1000;

export function botScopes(): string[] {
  const wanted = [...Object.values(methodScopes).flat(), ...Object.values(eventScopes).flat(), ...otherScopes];
  return [...new Set(wanted)].sort();
}

/** `url`: where Slack sends its requests; without one it is Socket Mode. */
export function toManifest(commands: readonly CommandHelp[], url: string | undefined) {
  const requests = url === undefined ? {} : { request_url: new URL('/slack/events', url).href };
  const address = url === undefined ? {} : { url: new URL('/slack/events', url).href };
  const names = commands.map((one) => one.path.join(' ')).join(' | ');
  return {
    display_information: {
      name: 'Channelore',
      description: 'Answers when mentioned, and remembers each channel',
      background_color: '#1f3a5f',
    },
    features: {
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
      assistant_view: {
        assistant_description: 'Answers questions, and remembers what was said here',
        suggested_prompts: prompts,
      },
      bot_user: { display_name: 'channelore', always_online: true },
      slash_commands: [
        {
          command: slashName,
          ...address,
          description: 'Tells Channelore what to do; help lists everything',
          usage_hint: names.slice(0, maxHintChars),
          // People and channels then come by their ids, and are what was meant, whatever they are called.
          should_escape: true,
        },
      ],
    },
    oauth_config: { scopes: { bot: botScopes() } },
    settings: {
      event_subscriptions: { ...requests, bot_events: [...listenedEvents] },
      interactivity: { is_enabled: true, ...requests },
      org_deploy_enabled: false,
      socket_mode_enabled: url === undefined,
      token_rotation_enabled: false,
    },
  };
}

export function manifestText(commands: readonly CommandHelp[], url: string | undefined): string {
  return `${JSON.stringify(toManifest(commands, url), null, 2)}\n`;
}
