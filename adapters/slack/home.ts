import type { CommandEvent, Reply } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { type Api, type Blocks, slackError } from './api.ts';
import { homeSections, readOrigin } from './command.ts';
import { toMrkdwn } from './markdown.ts';
import type { Split } from './notices.ts';
import { limits } from './reply.ts';

/** The Home tab: role, memory and usage, each as its command tells it. */

const maxPeople = 1000;
/** As many as a section takes. */
const maxSectionChars = 3000;

export function createHome(deps: { api: Api; log: Log; split: Split }) {
  const { api, log } = deps;
  const told = new Map<string, Map<string, string>>();
  const publishing = new Map<string, Promise<void>>();

  function sectionsOf(person: string): Map<string, string> {
    const known = told.get(person) ?? new Map<string, string>();
    told.delete(person);
    told.set(person, known);
    const [oldest] = told.keys();
    if (told.size > maxPeople && oldest !== undefined) told.delete(oldest);
    return known;
  }

  /** One after the other, so that the newest stands. */
  async function publish(person: string): Promise<void> {
    const before = publishing.get(person) ?? Promise.resolve();
    const mine = before.then(() => api.patiently(() => api.publishHome(person, toView(sectionsOf(person)))));
    const settled = mine.catch((error: unknown) => {
      log.warn({ error: slackError(error) }, 'the Home tab could not be shown');
    });
    publishing.set(person, settled);
    await settled;
    if (publishing.get(person) === settled) publishing.delete(person);
  }

  return {
    reply(event: CommandEvent): Reply {
      const { section = '' } = readOrigin(event.origin);
      return {
        limits,
        async progress() {},
        async write() {
          return '';
        },
        async say(_, { text }) {
          const [first = ''] = deps.split(toMrkdwn(text), maxSectionChars);
          sectionsOf(event.author.id).set(section, first);
          await publish(event.author.id);
        },
        async withdraw() {},
        async end() {},
      };
    },
  };
}

const intro = 'Mention me in a channel, or write to me here. `/channelore help` lists what I can be told to do.';

/** A view takes no `markdown` block, only messages do. */
function toView(sections: ReadonlyMap<string, string>): Blocks {
  const parts = homeSections.flatMap(({ section, title }): Blocks => {
    const text = sections.get(section);
    if (text === undefined) return [];
    return [{ type: 'divider' }, { type: 'header', text: { type: 'plain_text', text: title } }, toSection(text)];
  });
  return [toSection(intro), ...parts];
}

function toSection(text: string): Blocks[number] {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}
