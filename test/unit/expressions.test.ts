import assert from 'node:assert/strict';
import { test } from 'node:test';
import { piecesOf } from './expression-pieces.ts';
import { combinedTexts, hostileTexts } from './hostile-texts.ts';
import { excess } from './linear.ts';
import { sourceExpressions } from './source-expressions.ts';

/** One message must not stop the program for everybody: no regular expression takes longer than its text is long. */

const { literals, constructed, files } = sourceExpressions(['src', 'adapters']);
const general = hostileTexts();

/** How the expressions are built that are put together at run time. */
const builders: Record<string, () => Promise<unknown>> = {
  'src/log.ts': async () => {
    const { createLog } = await import('../../src/log.ts');
    const secrets = ['aaaaaaaa', 'key with + and / in it', 'postgres://bot:pass-word@localhost/db'];
    return createLog({ level: 'silent', format: 'json', secrets });
  },
  'src/conversation/encoder.ts': async () => {
    const { createEncoder } = await import('../../src/conversation/encoder.ts');
    const ranks = await Promise.all([import('js-tiktoken/ranks/cl100k_base'), import('js-tiktoken/ranks/o200k_base')]);
    for (const { default: file } of ranks)
      createEncoder(
        file.pat_str,
        () => -1,
        (_, size) => noTokens(size),
      );
  },
  'src/conversation/frames.ts': async () => await import('../../src/conversation/frames.ts'),
  'src/conversation/recall-terms.ts': async () => await import('../../src/conversation/recall-terms.ts'),
  'adapters/slack/words.ts': async () => {
    const { inSlackWords } = await import('../../adapters/slack/words.ts');
    inSlackWords('', [{ path: ['role', 'show'] }, { path: ['reset'] }, { path: ['memory', 'search'] }]);
  },
};

test('no regular expression of the sources takes more than linear time, whatever it is given', () => {
  assert.ok(files > 200 && literals.length > 200, `${files} files, ${literals.length} expressions`);
  const slow = tooSlow(literals);
  assert.deepEqual(slow, []);
});

test('no regular expression built at run time takes more than linear time, and no other is built', async () => {
  const built = await recordedWhile(async () => {
    for (const build of Object.values(builders)) await build();
  });
  const unknown = constructed.filter(({ file }) => builders[file] === undefined);
  assert.deepEqual(unknown, [], 'say above how it is built, or do without');
  for (const file of Object.keys(builders)) {
    assert.ok(
      built.some(({ place }) => place.includes(file)),
      `${file} built none`,
    );
  }
  assert.deepEqual(tooSlow(built), []);
});

interface Placed {
  place: string;
  expression: RegExp;
}

/** Each with the text that takes it longest. */
function tooSlow(all: readonly Placed[]): string[] {
  const places = new Map(all.map(({ place, expression }) => [String(expression), { place, expression }]));
  return [...places].flatMap(([key, { place, expression }]) => {
    const run = toRun(expression);
    const { pieces, beginnings } = piecesOf(expression);
    for (const [name, make] of [...general, ...combinedTexts(pieces, beginnings)]) {
      const ratio = excess(run, make);
      if (ratio !== undefined) return [`${place} ${key}: ${ratio.toFixed(0)} times as long for ${name}`];
    }
    return [];
  });
}

/** All matches of a text, from each place one can begin at: what `replace`, `split` and a loop over `exec` may ask for. */
function toRun({ source, flags }: RegExp): (text: string) => unknown {
  const everywhere = new RegExp(source, `g${flags.replace(/[gy]/g, '')}`);
  return (text) => text.replace(everywhere, '');
}

/** What is built while something runs, and by which of our files. */
async function recordedWhile(work: () => Promise<void>): Promise<Placed[]> {
  const Original = globalThis.RegExp;
  const found: Placed[] = [];
  const record = (args: [string | RegExp, string?]): RegExp => {
    const expression = Reflect.construct(Original, args);
    const place = new Error().stack?.split('\n').find((line) => /\/(?:src|adapters)\//.test(line));
    found.push({ place: place ?? '', expression });
    return expression;
  };
  globalThis.RegExp = new Proxy(Original, {
    construct: (_, args) => record(args as [string, string?]),
    apply: (_, __, args) => record(args as [string, string?]),
  });
  try {
    await work();
  } finally {
    globalThis.RegExp = Original;
  }
  return found;
}

function* noTokens(size: number): Generator<void, number[]> {
  yield;
  return [size];
}
