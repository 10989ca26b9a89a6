import { readJson, refusal, toJson } from './answers.ts';
import type { Entrance } from './entrance.ts';
import type { ConsoleHost } from './host.ts';
import { isTrustedName, namePost, toName } from './names.ts';
import type { Route, Visitor } from './route.ts';
import { limits } from './to-event.ts';
import type { Me } from './wire.ts';

/** Who the visitor is, and what they can order. */
interface PeopleDeps {
  host: Pick<ConsoleHost, 'defaultRole' | 'commands' | 'presets' | 'complete' | 'isFree'>;
  entrance: Entrance;
  hasLogin: boolean;
}

const maxLineChars = 2_000;
const maxCompletions = 50;

export function peopleRoutes({ host, entrance, hasLogin }: PeopleDeps): Route[] {
  async function toMe({ person, admin }: Pick<Visitor, 'person' | 'admin'>): Promise<Me> {
    const presets = await host.presets();
    const { commands, defaultRole, isFree } = host;
    const tour = admin && isFree;
    return { person, admin, hasLogin, tour, defaults: { role: defaultRole }, commands, presets, limits };
  }

  return [
    { method: 'GET', path: '/api/me', rights: 'console', handle: async (_, visitor) => toJson(await toMe(visitor)) },
    {
      method: 'POST',
      path: '/api/me',
      rights: 'console',
      async handle(c, { admin }) {
        const name = toName((await readJson(c, namePost, 10_000)).name, limits.nameChars);
        if (name === '') throw refusal(400, 'A name needs at least one letter.');
        if (!admin && isTrustedName(name))
          throw refusal(
            400,
            'Others could take this name for somebody who looks after the console; choose another one.',
          );
        const { person, cookie } = entrance.rename(c, name);
        return toJson(await toMe({ person, admin }), 200, { 'set-cookie': cookie });
      },
    },
    {
      method: 'GET',
      path: '/api/complete',
      rights: 'console',
      async handle(c) {
        const line = (c.req.query('line') ?? '').slice(0, maxLineChars).replace(/^\//, '');
        return toJson(host.complete(line).slice(0, maxCompletions));
      },
    },
  ];
}
