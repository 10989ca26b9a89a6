import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** A file as browsers get it: with a tag of its content, compressed once for each way that they understand. */
export interface ServedFile {
  readonly bytes: number;
  respond(request: Request, headers?: Record<string, string>): Promise<Response>;
}

type Encoding = 'br' | 'gzip' | 'identity';

const compress: Record<Exclude<Encoding, 'identity'>, (content: Buffer) => Promise<Buffer<ArrayBufferLike>>> = {
  br: async (content) => await promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: async (content) => await promisify(gzip)(content, { level: 9 }),
};

export function toServedFile(content: Buffer, type: string): ServedFile {
  const tag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  const made = new Map<Encoding, Promise<Buffer>>();
  const isText = /^(text\/|image\/svg)/.test(type);

  function encoded(encoding: Encoding): Promise<Buffer> {
    const found =
      made.get(encoding) ?? (encoding === 'identity' ? Promise.resolve(content) : compress[encoding](content));
    made.set(encoding, found);
    return found;
  }

  return {
    bytes: content.length,
    async respond(request, headers = {}) {
      const encoding = isText ? planEncoding(request.headers.get('accept-encoding') ?? '') : 'identity';
      const all = { etag: tag, vary: 'accept-encoding', 'cache-control': 'no-cache', ...headers };
      if (tagsOf(request).includes(tag)) return new Response(null, { status: 304, headers: all });
      const body = await encoded(encoding);
      const own: Record<string, string> = { 'content-type': type, 'content-length': String(body.length) };
      if (encoding !== 'identity') own['content-encoding'] = encoding;
      return new Response(request.method === 'HEAD' ? null : new Uint8Array(body), { headers: { ...all, ...own } });
    },
  };
}

function tagsOf(request: Request): string[] {
  return (request.headers.get('if-none-match') ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''));
}

function planEncoding(accepted: string): Encoding {
  const offers = accepted
    .toLowerCase()
    .split(',')
    .map((one) => one.split(';').map((part) => part.trim()));
  const takes = (name: string): boolean => offers.some(([one, q]) => one === name && !/^q=0(\.0*)?$/.test(q ?? ''));
  if (takes('br')) return 'br';
  return takes('gzip') ? 'gzip' : 'identity';
}
