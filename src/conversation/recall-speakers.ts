import { copied, isStopWord, wordsOf } from './recall-terms.ts';

/** Who said the turns of an index, by numbers; one of whom no turn is left is forgotten. */

interface Speaker {
  /** The platform's id; of the bot, nothing. */
  author: string | undefined;
  name: string | undefined;
}

interface Known extends Speaker {
  key: string;
  words: readonly string[];
  turns: number;
}

interface Speakers {
  /** Nobody of that name may have spoken before. */
  take(speaker: Speaker): { id: number; isNew: boolean };
  /** Whether nothing of theirs is left. */
  release(id: number): boolean;
  /** The same for all who are called the same. */
  key(id: number): string;
  /** The keys of all who have a name. */
  names(): ReadonlySet<string>;
  /** Whom a question means, by the words in it and by the platform's ids that come with it. */
  meant(words: readonly string[], people: ReadonlySet<string>): ReadonlySet<number>;
}

/** Nobody names people beyond the first words of a pasted text. */
const mostWords = 400;

export function createSpeakers(): Speakers {
  const ids = new Map<string, number>();
  const known = new Map<number, Known>();
  let next = 0;

  return {
    take({ author, name }) {
      const key = JSON.stringify([author ?? null, name ?? null]);
      const id = ids.get(key);
      const one = id === undefined ? undefined : known.get(id);
      if (id !== undefined && one !== undefined) {
        one.turns++;
        return { id, isNew: false };
      }
      ids.set(key, next);
      known.set(next, { author, name, key, words: nameWords(name ?? ''), turns: 1 });
      return { id: next++, isNew: true };
    },

    release(id) {
      const one = known.get(id);
      if (one === undefined) return false;
      one.turns--;
      if (one.turns > 0) return false;
      ids.delete(one.key);
      known.delete(id);
      return true;
    },

    key: (id) => keyOf(known.get(id)),
    names: () => new Set([...known.values()].filter((one) => one.words.length > 0).map(keyOf)),

    meant(words, people) {
      const asked = words.slice(0, mostWords);
      const text = ` ${asked.join(' ')} `;
      const telling = new Set(asked.filter((word) => !isStopWord(word) && word.length > 1));
      /** By word, those whose name agrees best with the question: "Kirsty Williams" is not every Williams. */
      const best = new Map<string, { agreed: number; ids: number[] }>();
      const meant = new Set<number>();
      for (const [id, one] of known) {
        if (one.author !== undefined && people.has(one.author)) meant.add(id);
        const found = one.words.filter((word) => telling.has(word));
        if (found.length === 0) continue;
        const agreed = found.length + (text.includes(` ${one.words.join(' ')} `) ? 1 : 0);
        for (const word of found) {
          const others = best.get(word);
          if (others === undefined || others.agreed < agreed) best.set(word, { agreed, ids: [id] });
          else if (others.agreed === agreed) others.ids.push(id);
        }
      }
      for (const { ids } of best.values()) for (const id of ids) meant.add(id);
      return meant;
    },
  };
}

function keyOf(one: Known | undefined): string {
  return one === undefined || one.words.length === 0 ? `:${one?.author ?? ''}` : one.words.join(' ');
}

function nameWords(name: string): string[] {
  return wordsOf(name).map(copied);
}

const mostNameWords = 4;
/** `Ann: …`, `Ann, …` and `@Ann …`. */
const calling = /^(?:@([^\n@]{1,60})|([^\n:,@]{1,40})[:,](?:\s|$))/u;

/** The words with which a text calls somebody, if it calls anybody: who that is depends on who else is there. */
export function callingOf(text: string): string | undefined {
  const [, mention, call] = calling.exec(text.trimStart()) ?? [];
  const words = nameWords(mention ?? call ?? '');
  if (mention !== undefined) return `@${words.slice(0, mostNameWords).join(' ')}`;
  return words.length === 0 || words.length > mostNameWords ? undefined : words.join(' ');
}

/** After an at sign nobody says where the name ends. */
export function calledIn(words: string | undefined, names: ReadonlySet<string>): string | undefined {
  if (!words?.startsWith('@')) return words !== undefined && names.has(words) ? words : undefined;
  for (let name = words.slice(1); name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf(' ')))) {
    if (names.has(name)) return name;
  }
  return undefined;
}
