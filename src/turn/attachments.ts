import type { KeptAttachment } from '../conversation/turn.ts';
import type { Attachment } from '../event.ts';

/** What people attach: text is read into the conversation, images go to the model with the newest message only. */

export interface ReadAttachments {
  kept: KeptAttachment[];
  /** Data URLs. */
  images: string[];
}

const maxTextBytes = 256 * 1024;
const maxTextChars = 60_000;
const maxImageBytes = 8 * 1024 * 1024;
const maxImages = 4;
const maxFiles = 10;
const fetchMs = 20_000;
const imageTypes = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const textTypes =
  /^(text\/|application\/(json|xml|javascript|typescript|x-sh|x-yaml|yaml|toml|sql|x-httpd-php|ecmascript))/;
const textNames =
  /\.(txt|md|csv|tsv|log|json|jsonl|ya?ml|toml|ini|conf|xml|html?|css|[cm]?[jt]sx?|py|rb|rs|go|java|kt|swift|c|h|cc|cpp|hpp|cs|php|pl|lua|sh|bash|sql|r|scala|hs|ex|exs|erl|clj|dart|vue|svelte|tf|diff|patch|tex|rst|adoc)$/i;

export type FetchAttachment = (attachment: Attachment, signal: AbortSignal) => Promise<Uint8Array>;

/** Never throws: what could not be read is said in the conversation. */
export async function readAttachments(
  attachments: readonly Attachment[],
  fetch: FetchAttachment,
  signal: AbortSignal,
): Promise<ReadAttachments> {
  const images: string[] = [];
  const kept: KeptAttachment[] = [];
  let imagesSeen = 0;
  for (const [n, attachment] of attachments.entries()) {
    const name = attachment.name.replace(/[\p{Cc}\p{Cf}[\]<>]/gu, '').slice(0, 100) || 'file';
    const kind = kindOf(attachment);
    if (kind === 'image') imagesSeen++;
    const problem = n >= maxFiles ? 'too many files' : problemOf(attachment, kind, imagesSeen);
    if (problem !== undefined) {
      kept.push({ name, kind, problem });
      continue;
    }
    try {
      const bytes = await fetch(attachment, AbortSignal.any([signal, AbortSignal.timeout(fetchMs)]));
      if (kind === 'image') {
        images.push(`data:${attachment.mime};base64,${Buffer.from(bytes).toString('base64')}`);
        kept.push({ name, kind });
      } else kept.push(toText(name, bytes));
    } catch {
      // Whatever the platform's reason is, the person can send the file again; the answer need not wait for it.
      kept.push({ name, kind, problem: 'it could not be fetched' });
    }
  }
  return { kept, images };
}

function kindOf({ mime, name }: Attachment): KeptAttachment['kind'] {
  if (imageTypes.has(mime)) return 'image';
  return textTypes.test(mime) || textNames.test(name) ? 'text' : 'file';
}

function problemOf(attachment: Attachment, kind: KeptAttachment['kind'], imagesSeen: number): string | undefined {
  if (kind === 'file') return 'I read text and images only';
  if (kind === 'text' && attachment.bytes > maxTextBytes) return `it is larger than ${maxTextBytes / 1024} KB`;
  if (kind === 'image' && attachment.bytes > maxImageBytes)
    return `it is larger than ${maxImageBytes / 1024 / 1024} MB`;
  if (kind === 'image' && imagesSeen > maxImages) return `I look at ${maxImages} images at a time`;
  return undefined;
}

function toText(name: string, bytes: Uint8Array): KeptAttachment {
  if (bytes.length > maxTextBytes)
    return { name, kind: 'text', problem: `it is larger than ${maxTextBytes / 1024} KB` };
  const text = new TextDecoder().decode(bytes);
  if (text.includes('\0')) return { name, kind: 'text', problem: 'it is not text' };
  const short = text.slice(0, maxTextChars).toWellFormed();
  return { name, kind: 'text', text: short.length < text.length ? `${short}\n[cut here]` : short };
}
