import { withoutOwnMentions } from '../../src/event.ts';
import type { WireMessage } from './wire.ts';

/** From what Slack sends to what people read: names instead of ids, and no escapes. */

export interface Names {
  /** The bot's own id; empty where its mention is no address. */
  self: string;
  person(id: string): string | undefined;
  channel(id: string): string | undefined;
}

type Forwarded = NonNullable<WireMessage['attachments']>[number];

const token = /<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>/g;

/** Whom and what a text names without saying the name, to be looked up before it is read. */
export function idsIn(text: string): { people: string[]; channels: string[] } {
  const found = [...text.matchAll(token)].map(([, kind = '', id = '', label = '']) => ({ kind, id, label }));
  const of = (kind: string): string[] => [
    ...new Set(found.filter((one) => one.kind === kind && one.label === '').map((one) => one.id)),
  ];
  return { people: of('@'), channels: of('#') };
}

export function isOwnMention(text: string, self: string): boolean {
  return [...text.matchAll(token)].some(([, kind, id]) => kind === '@' && id === self);
}

/** The bot's own mention says who is meant, and is no part of what is said. */
export function toText(
  message: Pick<WireMessage, 'text'> & Partial<Pick<WireMessage, 'attachments'>>,
  names: Names,
): string {
  const own = toReadable(withoutOwn(message.text, names.self), names).trim();
  const forwarded = (message.attachments ?? [])
    .filter(isForwarded)
    .map(({ text = '', fallback = '', author_name: by }) => {
      const from = by === undefined ? '' : ` from ${by}`;
      return `[forwarded message${from}]\n${toReadable(text || fallback, names)}`;
    });
  return [own, ...forwarded].filter((part) => part !== '').join('\n');
}

/** The others are previews of links. */
export function isForwarded({ is_share: shared, is_msg_unfurl: quoted }: Forwarded): boolean {
  return shared === true || quoted === true;
}

function withoutOwn(text: string, self: string): string {
  return self === '' ? text : withoutOwnMentions(text, token, ([, kind, id]) => kind === '@' && id === self);
}

function toReadable(text: string, names: Names): string {
  const named = text.replace(token, (_, kind: string, id: string, label = '') => {
    if (kind === '@') return `@${label || names.person(id) || 'somebody'}`;
    if (kind === '#') return `#${label || names.channel(id) || 'unknown-channel'}`;
    return kind === '!' ? toSpecial(id, label) : toLink(id, label);
  });
  return unescaped(named);
}

/** `<!here>`, `<!subteam^S1|@crew>`, `<!date^…|18 March>` */
function toSpecial(id: string, label: string): string {
  if (label !== '') return id.startsWith('subteam') && !label.startsWith('@') ? `@${label}` : label;
  return `@${id.replace(/\^.*/s, '').replace(/^subteam$/, 'unknown-group')}`;
}

function toLink(address: string, label: string): string {
  const plain = address.replace(/^(mailto|tel):/, '');
  const isSame = label === '' || [address, plain, address.replace(/^https?:\/\//, '')].includes(label);
  return isSame ? plain : `${label} (${plain})`;
}

function unescaped(text: string): string {
  return text.replace(/&(lt|gt|amp);/g, (_, name: 'lt' | 'gt' | 'amp') => ({ lt: '<', gt: '>', amp: '&' })[name]);
}
