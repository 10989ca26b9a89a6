import { readBody, refusal, toJson } from './answers.ts';
import type { KeptFiles } from './kept-files.ts';
import { toName } from './names.ts';
import type { Route } from './route.ts';
import { limits } from './to-event.ts';
import type { Uploads } from './uploads.ts';

/** Files that people attach, and files that they are given. */
interface FileDeps {
  uploads: Uploads;
  files: KeptFiles;
  /** Why a file will not be read. */
  unreadable(file: { name: string; mime: string; bytes: number }): string | undefined;
}

const maxAtOnce = 8;
const fileNameChars = 100;
const plainMime = /^[\w.+-]{1,60}\/[\w.+-]{1,80}$/;
/** What a browser would run or show as a page is only ever handed over as bytes. */
const showable = /^(image\/(png|jpeg|gif|webp)|text\/(plain|markdown|csv)|application\/json)$/;

export function fileRoutes({ uploads, files, unreadable }: FileDeps): Route[] {
  let running = 0;

  function mustBeReadable(file: { name: string; mime: string; bytes: number }): void {
    const why = unreadable(file);
    if (why !== undefined) throw refusal(415, `${why.charAt(0).toUpperCase()}${why.slice(1)}.`);
  }

  return [
    {
      method: 'POST',
      path: '/api/uploads',
      rights: 'console',
      async handle(c, { person }) {
        if (running >= maxAtOnce) throw refusal(429, 'Too many files are being sent just now; try again in a moment.');
        running += 1;
        try {
          const name = toName(c.req.query('name') ?? '', fileNameChars) || 'file';
          const given = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
          const mime = plainMime.test(given) ? given : 'application/octet-stream';
          const announced = Number(c.req.header('content-length') ?? 0) || 0;
          if (announced <= limits.uploadBytes) mustBeReadable({ name, mime, bytes: announced });
          const content = await readBody(c.req.raw, limits.uploadBytes);
          mustBeReadable({ name, mime, bytes: content.length });
          return toJson(await uploads.put(person.id, { name, mime, content }), 201);
        } finally {
          running -= 1;
        }
      },
    },
    {
      method: 'GET',
      path: '/api/files/:id',
      rights: 'console',
      async handle(c, { person }) {
        const file = files.get(c.req.param('id') ?? '', person.id);
        if (file === undefined) throw refusal(404, 'This file is no longer there; ask for it again.');
        return toDownload(file.name, file.mime, file.content);
      },
    },
  ];
}

export function toDownload(name: string, mime: string, content: Buffer<ArrayBuffer> | string): Response {
  const plain = name.replace(/[^\w.-]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  const [type = ''] = mime.split(';');
  return new Response(content, {
    headers: {
      'content-type': showable.test(type) ? mime : 'application/octet-stream',
      'content-disposition': `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`,
    },
  });
}
