import type { Change, Head } from './head.ts';
import type { People } from './names.ts';

/** What a head keeps of people beside what they said: their names, what they changed, the role somebody wrote. */

/** Somebody by the platform's id, and by the names that records of older versions have in its place. */
export interface Somebody {
  id: string;
  names: readonly string[];
}

/** In the list of changes: in place of the name of somebody who was forgotten. */
const forgottenName = 'a person who was forgotten';

export function changeText({ what, words }: Change): string {
  return words === undefined ? what : `${what}: ${words}`;
}

/** Where somebody has left something, or may have: a channel with very many people no longer knows them all. */
export function hasTraces(head: Head, somebody: Somebody): boolean {
  return (
    Object.hasOwn(head.people, somebody.id) ||
    head.changes.some((change) => isBy(change, somebody)) ||
    head.away.some(({ by }) => by !== undefined && somebody.names.includes(by)) ||
    wroteRole(head, somebody)
  );
}

/** Heads of older versions know who wrote the role by the name in the list of changes only. */
export function wroteRole({ role, roleBy, changes }: Head, somebody: Somebody): boolean {
  if (role === undefined) return false;
  if (roleBy !== undefined) return roleBy === somebody.id;
  const written = changes.findLast(({ what }) => isRoleChange(what));
  return written !== undefined && isBy(written, somebody);
}

/** The role goes with whoever wrote it: those are their words, and no prompt may hold them. */
export function withoutSomebody(head: Head, { id, names }: Somebody): Head {
  const known = Object.hasOwn(head.people, id) ? head.people[id] : undefined;
  const somebody = { id, names: known === undefined ? names : [...names, known.name, known.shown] };
  const { role, roleBy, ...rest } = head;
  const isTheirs = wroteRole(head, somebody);
  const kept = { ...(role !== undefined && { role }), ...(roleBy !== undefined && { roleBy }) };
  return {
    ...rest,
    ...(isTheirs ? {} : kept),
    people: withoutKey(head.people, id),
    changes: changesWithout(head.changes, somebody),
    away: head.away.map(nameless),
  };
}

export function changesWithout(changes: readonly Change[], somebody: Somebody): Change[] {
  return changes.map((change) => (isBy(change, somebody) ? anonymous(change) : change));
}

/** Names of people and of the place, and what was changed so far. What is set stays in force. */
export function withoutAnybody(head: Head): Head {
  return { ...withoutPlace(head), people: {}, changes: [], away: head.away.map(nameless) };
}

/** It is known again with the next message. Threads were once called by the words of their first message. */
export function withoutPlace(head: Head): Head {
  const { place: _, ...rest } = head;
  return rest;
}

/** Of changes made before, and of people of whom nothing is left, nothing stays. Answers the same where all stays. */
export function withoutOld(head: Head, before: number, gone: ReadonlySet<string>): Head {
  const changes = head.changes.filter((change) => change.at >= before);
  const people = Object.fromEntries(Object.entries(head.people).filter(([id]) => !gone.has(id)));
  const isSame =
    changes.length === head.changes.length && Object.keys(people).length === Object.keys(head.people).length;
  return isSame ? head : { ...head, changes, people };
}

function nameless(put: Head['away'][number]): Head['away'][number] {
  const { by: _, ...rest } = put;
  return rest;
}

function isBy({ person, by }: Change, { id, names }: Somebody): boolean {
  return person === undefined ? names.includes(by) : person === id;
}

const roleChange = 'set the role';

/** Those of older versions have the role's words after it. */
function isRoleChange(what: string): boolean {
  return what === roleChange || what.startsWith(`${roleChange}: `);
}

function anonymous({ at, what }: Change): Change {
  return { at, by: forgottenName, what: isRoleChange(what) ? roleChange : what };
}

function withoutKey(people: People, id: string): People {
  return Object.fromEntries(Object.entries(people).filter(([known]) => known !== id));
}
