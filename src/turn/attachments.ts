import type { KeptAttachment } from '../conversation/turn.ts';
import type { Attachment } from '../event.ts';
import { holdImage, releaseImages } from '../model/image-body.ts';
import type { ByteBudget } from './byte-budget.ts';

/** What people attach: text is read into the conversation, images go to the model with the newest message only. */

export interface ReadAttachments {
  kept: KeptAttachment[];
  /** What stands for each in prompts, see `holdImage`. */
  images: string[];
  /** Call it when the images are no longer needed. */
  release(): void;
}

const maxTextBytes = 256 * 1024;
const maxTextChars = 60_000;
const maxImageBytes = 8 * 1024 * 1024;
const maxImages = 4;
const maxFiles = 10;
/** In the whole process. An image is held several times over while it is sent: as text, and in the request. */
export const mostBytesAtOnce = maxImages * maxImageBytes;
/** So long an answer waits for the images of others. */
const waitMs = 120_000;
const fetchMs = 20_000;
const imageTypes = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const textTypes =
  /^(text\/|application\/(json|xml|javascript|typescript|x-sh|x-yaml|yaml|toml|sql|x-httpd-php|ecmascript))/;
const textNames =
  /\.(txt|md|csv|tsv|log|json|jsonl|ya?ml|toml|ini|conf|xml|html?|css|[cm]?[jt]sx?|py|rb|rs|go|java|kt|swift|c|h|cc|cpp|hpp|cs|php|pl|lua|sh|bash|sql|r|scala|hs|ex|exs|erl|clj|dart|vue|svelte|tf|diff|patch|tex|rst|adoc)$/i;

type FetchAttachment = (attachment: Attachment, signal: AbortSignal) => Promise<Uint8Array>;

interface Reading {
  fetch: FetchAttachment;
  /** Nobody looks at the images of a message that is not answered. */
  withImages: boolean;
  budget: ByteBudget;
  signal: AbortSignal;
}

interface Wanted {
  attachment: Attachment;
  name: string;
  kind: KeptAttachment['kind'];
  problem: string | undefined;
}

/** Never throws: what could not be read is said in the conversation. */
export async function readAttachments(attachments: readonly Attachment[], reading: Reading): Promise<ReadAttachments> {
  const wanted = toWanted(attachments);
  const bytes = wanted.filter((one) => isFetched(one, reading)).reduce((sum, one) => sum + one.attachment.bytes, 0);
  const release = bytes === 0 ? () => undefined : await takeBytes(bytes, reading);
  const images: string[] = [];
  const kept: KeptAttachment[] = [];
  for (const one of wanted) {
    const { attachment, name, kind } = one;
    if (one.problem !== undefined) kept.push({ name, kind, problem: one.problem });
    else if (!isFetched(one, reading)) kept.push({ name, kind, from: toFrom(attachment) });
    else if (release === undefined) kept.push({ name, kind, problem: 'too many files were being read; send it again' });
    else {
      const read = await fetchOne(attachment, reading);
      if (read === undefined) kept.push({ name, kind, problem: 'it could not be fetched' });
      else if (kind === 'text') kept.push(toText(name, read));
      else {
        images.push(holdImage({ mime: attachment.mime, bytes: read }));
        kept.push({ name, kind, from: toFrom(attachment) });
      }
    }
  }
  if (images.length === 0) release?.();
  return {
    kept,
    images,
    release() {
      releaseImages(images);
      release?.();
    },
  };
}

function toFrom({ mime, bytes, source }: Attachment): NonNullable<KeptAttachment['from']> {
  return { mime, bytes, source };
}

/** The images of a question that is answered once more; `isMissing` where one of them cannot be had any more. */
export async function readImagesAgain(
  kept: readonly KeptAttachment[],
  reading: Omit<Reading, 'withImages'>,
): Promise<Pick<ReadAttachments, 'images' | 'release'> & { isMissing: boolean }> {
  const seen = kept.filter(({ kind, problem }) => kind === 'image' && problem === undefined);
  const attachments = seen.flatMap(({ name, from }) => (from === undefined ? [] : [{ name, ...from }]));
  const { images, release } = await readAttachments(attachments, { ...reading, withImages: true });
  return { images, release, isMissing: images.length < seen.length };
}

function toWanted(attachments: readonly Attachment[]): Wanted[] {
  let imagesSeen = 0;
  return attachments.map((attachment, n) => {
    const name = attachment.name.replace(/[\p{Cc}\p{Cf}[\]<>]/gu, '').slice(0, 100) || 'file';
    const kind = kindOf(attachment);
    if (kind === 'image') imagesSeen++;
    const problem = n >= maxFiles ? 'too many files' : problemOf(attachment, kind, imagesSeen);
    return { attachment, name, kind, problem };
  });
}

function isFetched({ kind, problem }: Wanted, { withImages }: Reading): boolean {
  return problem === undefined && (kind !== 'image' || withImages);
}

async function takeBytes(bytes: number, { budget, signal }: Reading): Promise<(() => void) | undefined> {
  try {
    return await budget.take(bytes, AbortSignal.any([signal, AbortSignal.timeout(waitMs)]));
  } catch {
    // The answer goes on without them, and says so.
    return undefined;
  }
}

async function fetchOne(attachment: Attachment, { fetch, signal }: Reading): Promise<Uint8Array | undefined> {
  try {
    return await fetch(attachment, AbortSignal.any([signal, AbortSignal.timeout(fetchMs)]));
  } catch {
    // Whatever the platform's reason is, the person can send the file again; the answer need not wait for it.
    return undefined;
  }
}

function kindOf({ mime, name }: Pick<Attachment, 'name' | 'mime'>): KeptAttachment['kind'] {
  if (imageTypes.has(mime)) return 'image';
  return textTypes.test(mime) || textNames.test(name) ? 'text' : 'file';
}

function problemOf(
  attachment: Pick<Attachment, 'bytes'>,
  kind: KeptAttachment['kind'],
  imagesSeen: number,
): string | undefined {
  if (kind === 'file') return 'I read text and images only';
  if (kind === 'text' && attachment.bytes > maxTextBytes) return `it is larger than ${maxTextBytes / 1024} KB`;
  if (kind === 'image' && attachment.bytes > maxImageBytes)
    return `it is larger than ${maxImageBytes / 1024 / 1024} MB`;
  if (kind === 'image' && imagesSeen > maxImages) return `I look at ${maxImages} images at a time`;
  return undefined;
}

/** Why a file will not be read whatever comes with it; before it is sent. */
export function unreadable(attachment: Pick<Attachment, 'name' | 'mime' | 'bytes'>): string | undefined {
  return problemOf(attachment, kindOf(attachment), 1);
}

function toText(name: string, bytes: Uint8Array): KeptAttachment {
  if (bytes.length > maxTextBytes)
    return { name, kind: 'text', problem: `it is larger than ${maxTextBytes / 1024} KB` };
  const text = new TextDecoder().decode(bytes);
  if (text.includes('\0')) return { name, kind: 'text', problem: 'it is not text' };
  const short = text.slice(0, maxTextChars).toWellFormed();
  return { name, kind: 'text', text: short.length < text.length ? `${short}\n[cut here]` : short };
}
