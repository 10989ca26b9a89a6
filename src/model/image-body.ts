import { randomUUID } from 'node:crypto';
export interface ImageBytes {
  mime: string;
  bytes: Uint8Array;
}

/**
 * A request's JSON with images in it, sent in small pieces. As one text it would hold each image three times over: in
 * base64, in the JSON, and in the bytes of the JSON.
 */
interface StreamedBody {
  headers: Record<string, string>;
  body: ReadableStream<Uint8Array>;
}

/** The images of questions that are being answered, by what stands for them in a request's JSON. */
const images = new Map<string, ImageBytes>();
const placeholder = /image:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** A multiple of 3: then the pieces in base64 join to the whole in base64. */
const pieceBytes = 48 * 1024;

/** What stands for an image in prompts until it is released; nobody can guess it. */
export function holdImage(image: ImageBytes): string {
  const text = `image:${randomUUID()}`;
  images.set(text, image);
  return text;
}

export function releaseImages(held: readonly string[]): void {
  for (const one of held) images.delete(one);
}

/** Nothing where no image stands in it: then it is sent as it is. */
export function toStreamedBody(json: string): StreamedBody | undefined {
  if (images.size === 0) return undefined;
  const parts: (string | ImageBytes)[] = [];
  let from = 0;
  for (const match of json.matchAll(placeholder)) {
    const image = images.get(match[0]);
    if (image === undefined) continue;
    parts.push(json.slice(from, match.index), image);
    from = match.index + match[0].length;
  }
  if (from === 0) return undefined;
  parts.push(json.slice(from));
  const bytes = parts.reduce((sum, part) => sum + lengthOf(part), 0);
  return { headers: { 'content-length': String(bytes) }, body: ReadableStream.from(piecesOf(parts)) };
}

function lengthOf(part: string | ImageBytes): number {
  if (typeof part === 'string') return Buffer.byteLength(part);
  return Buffer.byteLength(headOf(part)) + 4 * Math.ceil(part.bytes.length / 3);
}

function headOf({ mime }: ImageBytes): string {
  return `data:${mime};base64,`;
}

function* piecesOf(parts: readonly (string | ImageBytes)[]): Generator<Uint8Array> {
  for (const part of parts) {
    if (typeof part === 'string') {
      yield Buffer.from(part);
      continue;
    }
    yield Buffer.from(headOf(part));
    for (let at = 0; at < part.bytes.length; at += pieceBytes) {
      const { buffer, byteOffset, length } = part.bytes.subarray(at, at + pieceBytes);
      yield Buffer.from(Buffer.from(buffer, byteOffset, length).toString('base64'), 'latin1');
    }
  }
}
