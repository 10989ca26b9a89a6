import { z } from 'zod';
import { readJson, toJson } from './answers.ts';
import type { MemoryViews } from './host.ts';
import type { KeptFiles } from './kept-files.ts';
import type { Route } from './route.ts';
import { limits } from './to-event.ts';
import type { OrderAnswer, OrderPost } from './wire.ts';

/** The memory of a channel, seen and steered. */
interface MemoryDeps {
  views: MemoryViews;
  files: KeptFiles;
  now(): number;
}

const orderPost: z.ZodType<OrderPost> = z.object({ line: z.string().min(1).max(limits.textChars) });
const maxBodyBytes = limits.textChars * 6 + 10_000;

export function memoryRoutes({ views, files, now }: MemoryDeps): Route[] {
  let orders = 0;

  return [
    {
      method: 'GET',
      path: '/api/memory/:key',
      rights: 'any',
      command: 'memory show',
      handle: async (_c, _visitor, channel) => toJson(await views.inspect(channel)),
    },
    {
      method: 'GET',
      path: '/api/memory/:key/prompt',
      rights: 'any',
      command: 'memory prompt',
      handle: async (_c, _visitor, channel) => toJson(await views.prompt(channel)),
    },
    {
      method: 'POST',
      path: '/api/memory/:key/orders',
      rights: 'any',
      command: undefined,
      async handle(c, { person, admin }, channel) {
        const { line } = await readJson(c, orderPost, maxBodyBytes);
        const since = files.moment();
        const notice = await views.order(
          channel,
          { ...person, admin, platform: 'web' },
          line.trim().replace(/^\//, ''),
        );
        orders += 1;
        const kept = files.put({ owner: `order:${now()}:${orders}`, channel, since, only: person.id }, notice.files);
        const answer: OrderAnswer = { text: notice.text, actions: notice.actions, files: kept };
        return toJson(answer);
      },
    },
  ];
}
