import type { Readable } from 'node:stream';

/** A line far beyond any message; an attachment of tens of megabytes still fits. */
const maxLineBytes = 64 * 1024 * 1024;

/** `undefined` stands for a line that was too long to be kept. */
export async function* readLines(input: Readable, maxBytes = maxLineBytes): AsyncGenerator<string | undefined> {
  let parts: Buffer[] = [];
  let size = 0;
  const take = (): string | undefined => {
    const line = size > maxBytes ? undefined : Buffer.concat(parts).toString('utf8').replace(/\r$/, '');
    parts = [];
    size = 0;
    return line;
  };
  const keep = (part: Buffer): void => {
    size += part.length;
    if (size <= maxBytes) parts.push(part);
    else parts = [];
  };
  for await (const chunk of input) {
    let rest = toBuffer(chunk);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      keep(rest.subarray(0, end));
      yield take();
      rest = rest.subarray(end + 1);
    }
    keep(rest);
  }
  if (size > 0) yield take();
}

function toBuffer(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}
