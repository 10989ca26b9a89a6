import { BotError } from '../errors.ts';
import type { Event } from '../event.ts';

/** How long what comes with an event may be. What is only shown is cut; anything else that is longer is refused. Pure. */

const maxNameChars = 200;
/** A field that is not named here is an id, or as short as one. */
const maxIdChars = 1_000;
const maxCharsOfField: Record<string, number> = {
  text: 2_000_000,
  line: 2_000_000,
  /** What a platform's own options give of a command, and what an adapter keeps to answer by. */
  options: 200_000,
  origin: 10_000,
  /** A file itself, where it comes with the event. */
  source: 64 * 1024 * 1024,
};
const maxEntries = 10_000;

export function withinBounds(event: Event): Event {
  const cut = withShortNames(event);
  mustBeShort(cut, '', maxIdChars);
  return cut;
}

function withShortNames(event: Event): Event {
  if (event.kind === 'edit' || event.kind === 'delete') return event;
  const author = { ...event.author, name: short(event.author.name) };
  if (event.kind === 'command') return { ...event, author };
  const attachments = event.attachments.map((one) => ({ ...one, name: short(one.name), mime: short(one.mime) }));
  return { ...event, author, attachments, ...(event.place !== undefined && { place: short(event.place) }) };
}

function short(text: string): string {
  return text.length <= maxNameChars ? text : text.slice(0, maxNameChars).toWellFormed();
}

function mustBeShort(value: unknown, field: string, most: number): void {
  if (typeof value === 'string') {
    if (value.length > most) throw tooLong(field, `${value.length} characters`, most);
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (entries.length > maxEntries) throw tooLong(field, `${entries.length} entries`, maxEntries);
    for (const [key, inner] of entries) {
      if (key.length > maxIdChars) throw tooLong(field, `a name of ${key.length} characters`, maxIdChars);
      const name = Array.isArray(value) ? field : key;
      mustBeShort(inner, name, maxCharsOfField[name] ?? most);
    }
  }
}

function tooLong(field: string, found: string, most: number): BotError {
  return new BotError('input', `the ${field} is too long: ${found}, and at most ${most} are taken`);
}
