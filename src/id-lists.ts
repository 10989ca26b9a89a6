/** The lists of ids in the configuration. An id that does not say its platform is taken only where it can mean but one. */

export interface Platforms {
  known: readonly string[];
  /** Those an id without a platform may be of. */
  running: readonly string[];
  /** Whoever sends something chooses the ids: there no id may stand alone. */
  chosenIds: boolean;
}

/** As `platform:id` or `platform/workspace/id`, or what is wrong with the list; without the ids themselves. */
export function toIds(
  given: readonly string[],
  platforms: Platforms,
): { ids: readonly string[]; problem: string | undefined } {
  const read = given.map((id) => toId(id, platforms));
  return {
    ids: read.flatMap(({ id }) => (id === undefined ? [] : [id])),
    problem: read.find(({ problem }) => problem !== undefined)?.problem,
  };
}

function toId(given: string, { known, running, chosenIds }: Platforms): { id?: string; problem?: string } {
  const form = /^([^:/]*)([:/])/.exec(given);
  if (form !== null) {
    const [, platform = '', separator] = form;
    if (!known.includes(platform)) {
      return { problem: `an id names a platform that there is not; there are ${known.join(', ')}` };
    }
    if (separator === ':' || given.split('/').length >= 3) return { id: given };
    return { problem: 'an id is incomplete; write platform:id or platform/workspace/id' };
  }
  const [only, ...more] = running;
  if (only !== undefined && more.length === 0 && !chosenIds) return { id: `${only}:${given}` };
  return { problem: `an id does not say of which platform it is; write ${orList(running.map((one) => `${one}:ID`))}` };
}

/** Servers and workspaces, as `platform/workspace`. */
export function workspaceProblem(given: readonly string[], platforms: readonly string[]): string | undefined {
  const isWorkspace = (one: string): boolean => {
    const [platform = '', workspace = '', ...more] = one.split('/');
    return platforms.includes(platform) && workspace !== '' && more.length === 0;
  };
  if (given.every(isWorkspace)) return undefined;
  return `must be a list such as ${platforms.map((one) => `${one}/ID`).join(', ')}`;
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
