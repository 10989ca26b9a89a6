import type { Place } from './weather-service.ts';

/** Which place is meant by what somebody wrote. */

export interface Wanted {
  name: string;
  /** What narrows it: a state, a region, a country. */
  within: readonly string[];
}

/** `Paris, Texas` is the name `Paris` within `Texas`. */
export function toWanted(location: string): Wanted {
  const [name = '', ...within] = location
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return { name, within };
}

export type Choice =
  | { kind: 'one'; place: Place }
  | { kind: 'several'; places: Place[] }
  /** None fits; these have the name but lie elsewhere. */
  | { kind: 'none'; places: Place[] };

/** So many times more people than the next of its name: then nobody means the other one without saying so. */
const clearlyLarger = 5;
const maxChoices = 6;

export function choosePlace(wanted: Wanted, found: readonly Place[]): Choice {
  const fitting = found.filter((place) => wanted.within.every((part) => liesIn(place, part)));
  const places = largestFirst(withName(fitting, wanted.name));
  const [first, second] = places;
  if (first === undefined) return { kind: 'none', places: largestFirst(found).slice(0, maxChoices) };
  const isClear =
    second === undefined || (first.population ?? 0) >= clearlyLarger * Math.max(1, second.population ?? 0);
  return isClear ? { kind: 'one', place: first } : { kind: 'several', places: places.slice(0, maxChoices) };
}

/** A search also finds names that only begin alike; where none is the same, it may be the name in another language. */
function withName(places: readonly Place[], name: string): readonly Place[] {
  const same = places.filter((place) => plain(place.name) === plain(name));
  return same.length > 0 ? same : places;
}

/** A city and the district around it are told apart by nobody: of one label the largest. */
function largestFirst(places: readonly Place[]): Place[] {
  const sorted = [...places].sort((a, b) => (b.population ?? 0) - (a.population ?? 0));
  const labels = new Set<string>();
  return sorted.filter((place) => !labels.has(placeLabel(place)) && labels.add(placeLabel(place)));
}

export function placeLabel({ name, admin1, country }: Place): string {
  return [name, admin1, country].filter((part, index, all) => part && all.indexOf(part) === index).join(', ');
}

function liesIn(place: Place, part: string): boolean {
  const { country, country_code: code, admin1, admin2, admin3, admin4 } = place;
  const names = [country, code, admin1, admin2, admin3, admin4].map((name) => plain(name ?? ''));
  const asked = plain(part);
  return names.includes(asked) || names.includes(shortNames.get(asked) ?? '-');
}

function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\p{M}.]/gu, '')
    .replace(/['’\s-]+/g, ' ')
    .trim()
    .toLowerCase();
}

/** How people write what the service spells out: `San Francisco, CA`. */
const shortNames = new Map(
  `al alabama|ak alaska|az arizona|ar arkansas|ca california|co colorado|ct connecticut|dc district of columbia
  |de delaware|fl florida|ga georgia|hi hawaii|id idaho|il illinois|in indiana|ia iowa|ks kansas|ky kentucky
  |la louisiana|me maine|md maryland|ma massachusetts|mi michigan|mn minnesota|ms mississippi|mo missouri|mt montana
  |ne nebraska|nv nevada|nh new hampshire|nj new jersey|nm new mexico|ny new york|nc north carolina|nd north dakota
  |oh ohio|ok oklahoma|or oregon|pa pennsylvania|ri rhode island|sc south carolina|sd south dakota|tn tennessee
  |tx texas|ut utah|vt vermont|va virginia|wa washington|wv west virginia|wi wisconsin|wy wyoming
  |on ontario|bc british columbia|qc quebec|usa us|uk gb|uae ae`
    .split('|')
    .map((pair) => {
      const [short = '', ...long] = pair.trim().split(' ');
      return [short, long.join(' ')];
    }),
);
