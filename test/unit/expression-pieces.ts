/** What a regular expression is made of: texts that each part of it matches, and the beginnings of a match. */

export interface Pieces {
  /** Single characters and words that some part of it matches. */
  pieces: string[];
  /** What it matches from its beginning, a part longer each. */
  beginnings: string[];
}

const alphabet = [
  ...Array.from(
    ' \n\t\r\u00a0\u2028\u2029abcdefghijklmnopqrstuvwxyzABCZ019.,:;!?…。！？-_*~`\'"“”’()[]{}<>|/\\@#$%^&+=',
  ),
  '漢',
  'か',
  'ก',
  '한',
  'é',
  'ß',
  '\u0301',
  '\u200b',
  '\u202e',
  '\u0001',
  '😀',
];
const mostPieces = 14;
const mostBeginnings = 10;

export function piecesOf({ source, flags }: RegExp): Pieces {
  const atoms = atomsOf(source, flags.includes('v'));
  const samples = atoms.map((atom) => samplesOf(atom.text, flags));
  const pieces = new Set<string>();
  let word = '';
  for (const [index, atom] of atoms.entries()) {
    if (atom.isLiteral) word += samples[index]?.[0] ?? '';
    else {
      if (word.length > 1) pieces.add(word);
      word = '';
    }
  }
  if (word.length > 1) pieces.add(word);
  // The first sample of every part before the second of any.
  for (const rank of [0, 1]) for (const each of samples) if (each[rank] !== undefined) pieces.add(each[rank]);
  const beginnings: string[] = [];
  let begun = '';
  for (const [first = ''] of samples) {
    begun += first;
    if (begun !== '') beginnings.push(begun);
  }
  const whole = beginnings.at(-1);
  const chosen = [...beginnings.slice(0, mostBeginnings), ...(whole === undefined ? [] : [whole])];
  return { pieces: spread([...pieces], mostPieces), beginnings: [...new Set(chosen)] };
}

/** The first half, and of the rest what is evenly apart. */
function spread(all: readonly string[], most: number): string[] {
  if (all.length <= most) return [...all];
  const first = all.slice(0, most / 2);
  const rest = all.slice(most / 2);
  return [...first, ...rest.filter((_, index) => index % Math.ceil(rest.length / (most / 2)) === 0)];
}

interface Atom {
  text: string;
  isLiteral: boolean;
}

/** Characters, escapes and classes; groups, quantifiers and assertions fall away. */
function atomsOf(source: string, areNested: boolean): Atom[] {
  const atoms: Atom[] = [];
  const token =
    /\(\?(?:<?[=!]|<\w+>|[a-z-]*:)|\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|[\s\S])|\{\d+(?:,\d*)?\}\??|[*+?]\??|[()|^$]|\[|[\s\S]/gu;
  for (let at = 0; at < source.length; ) {
    token.lastIndex = at;
    const [text = ''] = token.exec(source) ?? [];
    at = token.lastIndex;
    if (text === '[') {
      const end = classEnd(source, at, areNested);
      atoms.push({ text: source.slice(at - 1, end), isLiteral: false });
      at = end;
    } else if (/^(\(|\)|\||\^|\$|[*+?]\??|\{\d+(,\d*)?\}\??|\(\?.*|\\[bB]|\\[1-9])$/s.test(text)) {
      if (/^[*+?{]/.test(text)) {
        const last = atoms.at(-1);
        if (last !== undefined) last.isLiteral = false;
      }
    } else atoms.push({ text, isLiteral: !/^(\.|\\[dDwWsSpP])/.test(text) });
  }
  return atoms;
}

/** A bracket inside brackets opens a class of its own only with the `v` flag. */
function classEnd(source: string, from: number, areNested: boolean): number {
  let depth = 1;
  let at = from;
  for (; at < source.length && depth > 0; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '[' && areNested) depth++;
    else if (source[at] === ']') depth--;
  }
  return at;
}

function samplesOf(atom: string, flags: string): string[] {
  const expression = new RegExp(`^(?:${atom})$`, flags.replace(/[gy]/g, ''));
  const found = alphabet.filter((character) => expression.test(character));
  // From different parts of the alphabet: a blank, a letter, a digit.
  return [found[0], found[Math.floor(found.length / 2)]].filter((one) => one !== undefined);
}
